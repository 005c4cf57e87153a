"""The commands of `usage-platform`: what they do and print.

Belongs here: one command per file. Not here: parsing the command line (`cli`), starting services
(`local`).
"""
