"""The EMR test bed: real S3 and EMR APIs on this machine (moto's server), and a worker that executes what is submitted."""
