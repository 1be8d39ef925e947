# -- network

resource "aws_vpc" "vpc" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "${local.name}-vpc", "provisioner:owner" = "${local.name}/vpc" }
}

resource "aws_subnet" "private_a" {
  vpc_id            = aws_vpc.vpc.id
  cidr_block        = "10.0.11.0/24"
  availability_zone = data.aws_availability_zones.here.names[0]
  tags              = { Name = "${local.name}-private-a", "provisioner:owner" = "${local.name}/private-a" }
}

resource "aws_subnet" "private_b" {
  vpc_id            = aws_vpc.vpc.id
  cidr_block        = "10.0.12.0/24"
  availability_zone = data.aws_availability_zones.here.names[1]
  tags              = { Name = "${local.name}-private-b", "provisioner:owner" = "${local.name}/private-b" }
}

resource "aws_security_group" "db_wall" {
  name        = "${local.name}-db-wall"
  description = "PostgreSQL from the private subnets"
  vpc_id      = aws_vpc.vpc.id
  tags        = { Name = "${local.name}-db-wall", "provisioner:owner" = "${local.name}/db-wall" }

  ingress {
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = [aws_subnet.private_a.cidr_block]
    description = "private subnet a"
  }
  ingress {
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = [aws_subnet.private_b.cidr_block]
    description = "private subnet b"
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "redis_wall" {
  name        = "${local.name}-redis-wall"
  description = "Redis from the private subnets"
  vpc_id      = aws_vpc.vpc.id
  tags        = { Name = "${local.name}-redis-wall", "provisioner:owner" = "${local.name}/redis-wall" }

  ingress {
    from_port   = 6379
    to_port     = 6379
    protocol    = "tcp"
    cidr_blocks = [aws_subnet.private_a.cidr_block]
    description = "private subnet a"
  }
  ingress {
    from_port   = 6379
    to_port     = 6379
    protocol    = "tcp"
    cidr_blocks = [aws_subnet.private_b.cidr_block]
    description = "private subnet b"
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# -- keys and roles

resource "aws_kms_key" "data_key" {
  description             = "Database, cache and credentials of credlink"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = { "provisioner:owner" = "${local.name}/data-key" }
}

resource "aws_kms_alias" "data_key_alias" {
  name          = "alias/${local.name}-data-key-alias"
  target_key_id = aws_kms_key.data_key.key_id
}

resource "aws_iam_role" "db_monitoring_role" {
  name        = "${local.name}-db-monitoring-role"
  description = "Enhanced Monitoring of the database"
  tags        = { "provisioner:owner" = "${local.name}/db-monitoring-role" }
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "db_monitoring_role" {
  role       = aws_iam_role.db_monitoring_role.name
  policy_arn = "arn:${data.aws_partition.account.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# -- secrets: 32 characters each, made once and kept in Terraform's state

resource "terraform_data" "db_password" {
  input = replace(uuid(), "-", "")
  lifecycle { ignore_changes = [input] }
}

resource "terraform_data" "redis_token" {
  input = replace(uuid(), "-", "")
  lifecycle { ignore_changes = [input] }
}

resource "aws_secretsmanager_secret" "db_secret" {
  name                    = "${local.name}-db-credentials"
  description             = "Credentials of the credlink database"
  kms_key_id              = aws_kms_key.data_key.arn
  recovery_window_in_days = var.recovery_days
  tags                    = { "provisioner:owner" = "${local.name}/db-secret" }
}

resource "aws_secretsmanager_secret" "redis_secret" {
  name                    = "${local.name}-redis-token"
  description             = "Token of the credlink cache"
  kms_key_id              = aws_kms_key.data_key.arn
  recovery_window_in_days = var.recovery_days
  tags                    = { "provisioner:owner" = "${local.name}/redis-secret" }
}

resource "aws_secretsmanager_secret_version" "redis_secret" {
  secret_id     = aws_secretsmanager_secret.redis_secret.id
  secret_string = terraform_data.redis_token.output
}

# -- where events go

resource "aws_sns_topic" "alerts" {
  name         = "${local.name}-alerts"
  display_name = "credlink alerts"
  tags         = { "provisioner:owner" = "${local.name}/alerts" }
}
