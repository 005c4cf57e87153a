"""The soak: the whole platform at a thousand times real time, watched for what creeps up."""
