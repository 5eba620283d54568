# Dagster's storage, the host that runs it, the account's EMR defaults, and an application of EMR Serverless.

resource "aws_db_subnet_group" "dagster" {
  name       = var.name
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_db_instance" "dagster" {
  identifier                  = "${var.name}-dagster"
  engine                      = "postgres"
  engine_version              = "15"
  instance_class              = var.database_type
  allocated_storage           = 20
  max_allocated_storage       = 100
  storage_encrypted           = true
  kms_key_id                  = aws_kms_key.lake.arn
  db_name                     = "dagster"
  username                    = "dagster"
  manage_master_user_password = true
  db_subnet_group_name        = aws_db_subnet_group.dagster.name
  vpc_security_group_ids      = [aws_security_group.database.id]
  publicly_accessible         = false
  backup_retention_period     = 14
  deletion_protection         = true
  final_snapshot_identifier   = "${var.name}-dagster-last"
  auto_minor_version_upgrade  = true
}

data "aws_ssm_parameter" "al2023" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_instance" "host" {
  ami                    = data.aws_ssm_parameter.al2023.value
  instance_type          = var.host_type
  subnet_id              = aws_subnet.private[0].id
  vpc_security_group_ids = [aws_security_group.host.id]
  iam_instance_profile   = aws_iam_instance_profile.host.name
  # The script below runs once, at the first boot, and downloads: by then there must be a way out.
  depends_on = [aws_route_table_association.private, aws_route_table_association.public, aws_vpc_endpoint.s3]
  user_data  = <<-EOT
    #!/bin/bash
    set -euo pipefail
    retry() { for _ in $(seq 30); do "$@" && return; sleep 10; done; return 1; }
    retry dnf install -y docker git
    systemctl enable --now docker
    # Amazon Linux packages no compose plugin.
    plugins=/usr/local/lib/docker/cli-plugins
    mkdir -p $plugins
    retry curl --fail --silent --show-error --location --output $plugins/docker-compose \
      https://github.com/docker/compose/releases/download/v${var.compose_version}/docker-compose-linux-x86_64
    chmod +x $plugins/docker-compose
  EOT

  metadata_options {
    http_tokens = "required"
    # Containers reach the role through one hop more.
    http_put_response_hop_limit = 2
  }

  root_block_device {
    encrypted   = true
    kms_key_id  = aws_kms_key.lake.arn
    volume_size = 60
    volume_type = "gp3"
  }

  lifecycle {
    ignore_changes = [ami]
  }

  tags = { Name = "${var.name}-dagster" }
}

# Nobody's cluster is open to the world.
resource "aws_emr_block_public_access_configuration" "this" {
  block_public_security_group_rules = true
}

resource "aws_emr_security_configuration" "this" {
  name = var.name
  configuration = jsonencode({
    EncryptionConfiguration = {
      EnableInTransitEncryption = false # TLS to S3 is enforced by the bucket; between nodes is the private network
      EnableAtRestEncryption    = true
      AtRestEncryptionConfiguration = {
        S3EncryptionConfiguration = { EncryptionMode = "SSE-KMS", AwsKmsKey = aws_kms_key.lake.arn }
        LocalDiskEncryptionConfiguration = {
          EncryptionKeyProviderType = "AwsKms", AwsKmsKey = aws_kms_key.lake.arn, EnableEbsEncryption = true
        }
      }
    }
    InstanceMetadataServiceConfiguration = { MinimumInstanceMetadataServiceVersion = 2, HttpPutResponseHopLimit = 1 }
  })
}

resource "aws_emrserverless_application" "small" {
  name          = "${var.name}-small-weeks"
  release_label = "emr-7.13.0"
  type          = "SPARK"

  maximum_capacity {
    cpu    = "32 vCPU"
    memory = "128 GB"
  }

  auto_start_configuration { enabled = true }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 5
  }
}
