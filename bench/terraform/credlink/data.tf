# -- database

resource "aws_db_subnet_group" "db_subnets" {
  name        = "${local.name}-db-subnets"
  description = "Private subnets of credlink"
  subnet_ids  = [aws_subnet.private_a.id, aws_subnet.private_b.id]
  tags        = { "provisioner:owner" = "${local.name}/db-subnets" }
}

resource "aws_db_parameter_group" "db_parameters" {
  name        = "${local.name}-db-parameters"
  description = "PostgreSQL 15 of credlink"
  family      = "postgres15"
  tags        = { "provisioner:owner" = "${local.name}/db-parameters" }

  parameter {
    name         = "shared_preload_libraries"
    value        = "pg_stat_statements"
    apply_method = "pending-reboot"
  }
  parameter {
    name         = "max_connections"
    value        = "100"
    apply_method = "pending-reboot"
  }
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
  parameter {
    name  = "log_statement"
    value = "ddl"
  }
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_cloudwatch_log_group" "db_log" {
  name              = "/aws/rds/instance/${local.name}-db/postgresql"
  retention_in_days = 30
  tags              = { "provisioner:owner" = "${local.name}/db-log" }
}

resource "aws_cloudwatch_log_group" "db_upgrade_log" {
  name              = "/aws/rds/instance/${local.name}-db/upgrade"
  retention_in_days = 30
  tags              = { "provisioner:owner" = "${local.name}/db-upgrade-log" }
}

resource "aws_db_instance" "db" {
  identifier                            = "${local.name}-db"
  engine                                = "postgres"
  engine_version                        = "15"
  engine_lifecycle_support              = "open-source-rds-extended-support-disabled"
  instance_class                        = var.instance_class
  multi_az                              = true
  storage_type                          = "gp3"
  allocated_storage                     = 20
  max_allocated_storage                 = 100
  storage_encrypted                     = true
  kms_key_id                            = aws_kms_key.data_key.arn
  db_name                               = "credlink"
  username                              = "credlink_admin"
  password                              = terraform_data.db_password.output
  db_subnet_group_name                  = aws_db_subnet_group.db_subnets.name
  vpc_security_group_ids                = [aws_security_group.db_wall.id]
  publicly_accessible                   = false
  parameter_group_name                  = aws_db_parameter_group.db_parameters.name
  backup_retention_period               = 30
  backup_window                         = "03:00-04:00"
  maintenance_window                    = "mon:04:00-mon:05:00"
  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.db_monitoring_role.arn
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  deletion_protection                   = var.protected
  copy_tags_to_snapshot                 = true
  apply_immediately                     = true
  skip_final_snapshot                   = true
  tags                                  = { "provisioner:owner" = "${local.name}/db" }

  depends_on = [
    aws_cloudwatch_log_group.db_log,
    aws_cloudwatch_log_group.db_upgrade_log,
    aws_iam_role_policy_attachment.db_monitoring_role,
  ]
}

# -- cache

resource "aws_elasticache_subnet_group" "redis_subnets" {
  name        = "${local.name}-redis-subnets"
  description = "Private subnets of credlink"
  subnet_ids  = [aws_subnet.private_a.id, aws_subnet.private_b.id]
  tags        = { "provisioner:owner" = "${local.name}/redis-subnets" }
}

resource "aws_elasticache_parameter_group" "redis_parameters" {
  name        = "${local.name}-redis-parameters"
  description = "Redis 7 of credlink"
  family      = "redis7"
  tags        = { "provisioner:owner" = "${local.name}/redis-parameters" }

  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "redis" {
  replication_group_id       = "${local.name}-redis"
  description                = "Cache of credlink"
  engine                     = "redis"
  engine_version             = "7.0"
  node_type                  = "cache.t3.micro"
  port                       = 6379
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.data_key.arn
  transit_encryption_enabled = true
  auth_token                 = terraform_data.redis_token.output
  snapshot_retention_limit   = 5
  snapshot_window            = "03:00-05:00"
  maintenance_window         = "mon:05:00-mon:07:00"
  notification_topic_arn     = aws_sns_topic.alerts.arn
  parameter_group_name       = aws_elasticache_parameter_group.redis_parameters.name
  subnet_group_name          = aws_elasticache_subnet_group.redis_subnets.name
  security_group_ids         = [aws_security_group.redis_wall.id]
  apply_immediately          = true
  tags                       = { "provisioner:owner" = "${local.name}/redis" }
}

# -- bucket

resource "aws_s3_bucket" "proofs" {
  bucket = "${local.name}-proofs-${data.aws_caller_identity.account.account_id}"
  tags   = { "provisioner:owner" = "${local.name}/proofs" }
}

resource "aws_s3_bucket_versioning" "proofs" {
  bucket = aws_s3_bucket.proofs.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "proofs" {
  bucket = aws_s3_bucket.proofs.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_public_access_block" "proofs" {
  bucket                  = aws_s3_bucket.proofs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "proofs" {
  bucket     = aws_s3_bucket.proofs.id
  depends_on = [aws_s3_bucket_versioning.proofs]
  rule {
    id     = "proofs"
    status = "Enabled"
    filter {}
    transition {
      days          = 90
      storage_class = "GLACIER"
    }
    expiration { days = 365 }
    noncurrent_version_expiration { noncurrent_days = 30 }
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
  }
}

resource "aws_s3_bucket_cors_configuration" "proofs" {
  bucket = aws_s3_bucket.proofs.id
  cors_rule {
    allowed_origins = ["https://credlink.example"]
    allowed_methods = ["GET", "HEAD", "PUT", "POST"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3000
  }
}
