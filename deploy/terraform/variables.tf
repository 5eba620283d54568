variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  default     = "nextbasket"
}

variable "region" {
  description = "Where everything lives."
  type        = string
  default     = "eu-west-1"
}

variable "bucket" {
  description = "Name of the bucket for landing files, lake and work files; unique in the world, and no AWS service's name."
  type        = string
}

variable "vpc_cidr" {
  description = "Address range of the network."
  type        = string
  default     = "10.20.0.0/16"
}

variable "host_type" {
  description = "Instance type of the host that runs Dagster and torch."
  type        = string
  default     = "m6a.xlarge"
}

variable "compose_version" {
  description = "Docker Compose on the host; newer ones ask for a newer buildx than Amazon Linux has."
  type        = string
  default     = "2.29.7"
}

variable "database_type" {
  description = "Instance type of Dagster's PostgreSQL."
  type        = string
  default     = "db.t4g.micro"
}

variable "work_days" {
  description = "Days that plans, reports and logs are kept."
  type        = number
  default     = 30
}
