"""Work on a cluster: what a job there is asked, and the job itself."""
