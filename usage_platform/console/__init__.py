"""What the commands of `usage-platform` do and print.

Belongs here: one command a file. Not here: parsing the command line (`cli`), starting services
(`local`).
"""
