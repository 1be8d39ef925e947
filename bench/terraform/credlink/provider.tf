# What plans/aws-credlink.yaml deploys in environment production, as Terraform would have it: the same objects with the
# same values, names and owners' tags. Runs against a sandbox:
#
#   provisioner sandbox start
#   terraform init && terraform apply -var endpoint=$(provisioner sandbox status --json | jq -r .aws_url)
#
# Two values are not the plan's unless you say so, because Terraform could not destroy it in one run otherwise:
# `protected` (deletion protection of the database), and `recovery_days`, for which the names of secrets stay taken.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region            = var.region
  access_key        = "sandbox"
  secret_key        = "sandbox"
  s3_use_path_style = true

  endpoints {
    ec2            = var.endpoint
    elasticache    = var.endpoint
    iam            = var.endpoint
    kms            = var.endpoint
    logs           = var.endpoint
    rds            = var.endpoint
    s3             = var.endpoint
    secretsmanager = var.endpoint
    sns            = var.endpoint
    sts            = var.endpoint
  }
}

data "aws_caller_identity" "account" {}

data "aws_partition" "account" {}

data "aws_availability_zones" "here" {
  state = "available"
}

locals {
  name = "credlink-production"
}
