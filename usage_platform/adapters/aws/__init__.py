"""AWS: Athena and EMR Serverless."""
