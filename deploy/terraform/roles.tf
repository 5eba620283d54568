# Three roles: EMR itself, the clusters' nodes, and the host. Each may do what it does, on what is ours.

data "aws_caller_identity" "me" {}

locals {
  written = [for prefix in ["lake", "emr"] : "${aws_s3_bucket.lake.arn}/${prefix}/*"] # what is ours to write in the bucket
  # Of it the nodes': not emr/code and the archive of their Python, which later clusters run.
  written_by_nodes = [for prefix in ["lake", "emr/runs", "emr/logs"] : "${aws_s3_bucket.lake.arn}/${prefix}/*"]
}

data "aws_iam_policy_document" "trust" {
  for_each = { emr = "elasticmapreduce.amazonaws.com", ec2 = "ec2.amazonaws.com", serverless = "emr-serverless.amazonaws.com" }
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = [each.value]
    }
    dynamic "condition" {
      for_each = each.key == "ec2" ? [] : [1]
      content {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.me.account_id]
      }
    }
  }
}

resource "aws_iam_role" "emr" {
  name               = "${var.name}-emr"
  assume_role_policy = data.aws_iam_policy_document.trust["emr"].json
}

resource "aws_iam_role_policy_attachment" "emr" {
  role       = aws_iam_role.emr.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEMRServicePolicy_v2"
}

data "aws_iam_policy_document" "pass_node" {
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.node.arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }
}

# Disks of the nodes are encrypted with the key.
data "aws_iam_policy_document" "emr_key" {
  statement {
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = [aws_kms_key.lake.arn]
  }
  statement {
    actions   = ["kms:CreateGrant"]
    resources = [aws_kms_key.lake.arn]
    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "emr_key" {
  role   = aws_iam_role.emr.id
  policy = data.aws_iam_policy_document.emr_key.json
}

resource "aws_iam_role_policy" "emr" {
  role   = aws_iam_role.emr.id
  policy = data.aws_iam_policy_document.pass_node.json
}

# What a stage does: read landing files and the lake, write staged folders of the lake, plans' reports and logs.
data "aws_iam_policy_document" "node" {
  statement {
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.lake.arn]
  }
  statement {
    actions   = ["s3:GetObject"]
    resources = concat(["${aws_s3_bucket.lake.arn}/landing/*"], local.written)
  }
  statement {
    actions   = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = local.written_by_nodes
  }
  # No node commits to a table: only the orchestrator does.
  statement {
    effect    = "Deny"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.lake.arn}/lake/*/_delta_log/*"]
  }
  statement {
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = [aws_kms_key.lake.arn]
  }
}

resource "aws_iam_role" "node" {
  name               = "${var.name}-node"
  assume_role_policy = data.aws_iam_policy_document.trust["ec2"].json
}

resource "aws_iam_role_policy" "node" {
  role   = aws_iam_role.node.id
  policy = data.aws_iam_policy_document.node.json
}

resource "aws_iam_instance_profile" "node" {
  name = "${var.name}-node"
  role = aws_iam_role.node.name
}

resource "aws_iam_role" "job" {
  name               = "${var.name}-serverless"
  assume_role_policy = data.aws_iam_policy_document.trust["serverless"].json
}

resource "aws_iam_role_policy" "job" {
  role   = aws_iam_role.job.id
  policy = data.aws_iam_policy_document.node.json
}

# What the orchestrator does: commit to the lake, start and end its own clusters and job runs.
data "aws_iam_policy_document" "host" {
  statement {
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.lake.arn]
  }
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.lake.arn}/*"]
  }
  statement {
    actions   = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = local.written
  }
  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.lake.arn]
  }
  statement {
    actions   = ["elasticmapreduce:ListClusters"]
    resources = ["*"] # has no resource
  }
  statement {
    actions   = ["elasticmapreduce:RunJobFlow", "elasticmapreduce:AddTags"]
    resources = ["*"] # a cluster that is not there yet has no name
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/nextbasket/lake"
      values   = ["s3://${var.bucket}/lake"]
    }
  }
  statement {
    actions = [
      "elasticmapreduce:AddJobFlowSteps", "elasticmapreduce:CancelSteps", "elasticmapreduce:DescribeCluster",
      "elasticmapreduce:DescribeStep", "elasticmapreduce:ListSteps", "elasticmapreduce:TerminateJobFlows",
      "elasticmapreduce:PutAutoTerminationPolicy",
    ]
    resources = ["arn:aws:elasticmapreduce:${var.region}:${data.aws_caller_identity.me.account_id}:cluster/*"]
    condition {
      test     = "StringEquals"
      variable = "elasticmapreduce:ResourceTag/nextbasket/lake"
      values   = ["s3://${var.bucket}/lake"]
    }
  }
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.emr.arn, aws_iam_role.node.arn, aws_iam_role.job.arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["elasticmapreduce.amazonaws.com", "ec2.amazonaws.com", "emr-serverless.amazonaws.com"]
    }
  }
  statement {
    actions   = ["emr-serverless:StartJobRun", "emr-serverless:GetJobRun", "emr-serverless:CancelJobRun", "emr-serverless:TagResource"]
    resources = [aws_emrserverless_application.small.arn, "${aws_emrserverless_application.small.arn}/jobruns/*"]
  }
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_db_instance.dagster.master_user_secret[0].secret_arn]
  }
}

resource "aws_iam_role" "host" {
  name               = "${var.name}-host"
  assume_role_policy = data.aws_iam_policy_document.trust["ec2"].json
}

resource "aws_iam_role_policy" "host" {
  role   = aws_iam_role.host.id
  policy = data.aws_iam_policy_document.host.json
}

resource "aws_iam_role_policy_attachment" "host_sessions" {
  role       = aws_iam_role.host.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "host" {
  name = "${var.name}-host"
  role = aws_iam_role.host.name
}
