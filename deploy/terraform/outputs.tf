output "host" {
  description = "Instance id of the host, for Session Manager."
  value       = aws_instance.host.id
}

output "database_secret" {
  description = "Where PostgreSQL's password is."
  value       = aws_db_instance.dagster.master_user_secret[0].secret_arn
}

output "settings" {
  description = "settings.env of the host, without the password."
  value       = <<-EOT
    NEXTBASKET_DEPLOYMENT=emr
    NEXTBASKET_LANDING=s3://${var.bucket}/landing
    NEXTBASKET_LAKE=s3://${var.bucket}/lake
    NEXTBASKET_KMS_KEY=${aws_kms_key.lake.arn}
    NEXTBASKET_LAST_WEEK=open
    NEXTBASKET_EMR_SERVICE_ROLE=${aws_iam_role.emr.name}
    NEXTBASKET_EMR_INSTANCE_PROFILE=${aws_iam_instance_profile.node.name}
    NEXTBASKET_EMR_SUBNETS=${join(",", aws_subnet.private[*].id)}
    NEXTBASKET_EMR_SECURITY_CONFIGURATION=${aws_emr_security_configuration.this.name}
    NEXTBASKET_EMR_APPLICATION_ID=${aws_emrserverless_application.small.id}
    NEXTBASKET_EMR_JOB_ROLE_ARN=${aws_iam_role.job.arn}
    AWS_REGION=${var.region}
    AWS_DEFAULT_REGION=${var.region}
    DAGSTER_POSTGRES_HOST=${aws_db_instance.dagster.address}
    DAGSTER_POSTGRES_USER=dagster
    DAGSTER_POSTGRES_DB=dagster
  EOT
}
