# Many light objects: security groups of one VPC, secrets with a value, topics, alarms; `size` of them in all, a quarter
# of each kind. What `bench` deploys beside it has the same kinds, names and owners' tags.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "URL of the sandbox, http://127.0.0.1:…"
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "name" {
  type        = string
  default     = "light-production"
  description = "What the names of all objects begin with."
}

variable "size" {
  type        = number
  default     = 100
  description = "How many objects, a multiple of four; the VPC and the values of the secrets are not counted."

  validation {
    condition     = var.size >= 4 && var.size % 4 == 0
    error_message = "size must be a multiple of four."
  }
}

provider "aws" {
  region     = var.region
  access_key = "sandbox"
  secret_key = "sandbox"

  endpoints {
    cloudwatch     = var.endpoint
    ec2            = var.endpoint
    secretsmanager = var.endpoint
    sns            = var.endpoint
    sts            = var.endpoint
  }
}

locals {
  name  = var.name
  count = var.size / 4
}

resource "aws_vpc" "vpc" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "${local.name}-vpc", "provisioner:owner" = "${local.name}/vpc" }
}

resource "aws_security_group" "wall" {
  count       = local.count
  name        = "${local.name}-wall-${count.index}"
  description = "wall ${count.index}"
  vpc_id      = aws_vpc.vpc.id
  tags = {
    Name                = "${local.name}-wall-${count.index}"
    "provisioner:owner" = "${local.name}/wall-${count.index}"
  }

  ingress {
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_secretsmanager_secret" "secret" {
  count                   = local.count
  name                    = "${local.name}-secret-${count.index}"
  recovery_window_in_days = 0
  tags                    = { "provisioner:owner" = "${local.name}/secret-${count.index}" }
}

resource "aws_secretsmanager_secret_version" "secret" {
  count         = local.count
  secret_id     = aws_secretsmanager_secret.secret[count.index].id
  secret_string = "value-${count.index}"
}

resource "aws_sns_topic" "topic" {
  count        = local.count
  name         = "${local.name}-topic-${count.index}"
  display_name = "topic ${count.index}"
  tags         = { "provisioner:owner" = "${local.name}/topic-${count.index}" }
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  count               = local.count
  alarm_name          = "${local.name}-alarm-${count.index}"
  alarm_description   = "alarm ${count.index}"
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  dimensions          = { DBInstanceIdentifier = "${local.name}-${count.index}" }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 3
  threshold           = 90
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = [aws_sns_topic.topic[count.index].arn]
  tags                = { "provisioner:owner" = "${local.name}/alarm-${count.index}" }
}
