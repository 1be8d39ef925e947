resource "aws_secretsmanager_secret_version" "db_credentials" {
  secret_id = aws_secretsmanager_secret.db_secret.id
  secret_string = jsonencode({
    engine   = "postgres"
    username = "credlink_admin"
    password = terraform_data.db_password.output
    host     = aws_db_instance.db.address
    port     = aws_db_instance.db.port
    dbname   = "credlink"
  })
}

resource "aws_sns_topic_subscription" "alerts_by_mail" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = "ops@credlink.example"
}

resource "aws_db_event_subscription" "db_events" {
  name             = "${local.name}-db-events"
  sns_topic        = aws_sns_topic.alerts.arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.db.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "maintenance", "recovery"]
  tags             = { "provisioner:owner" = "${local.name}/db-events" }
}

output "rds_endpoint" {
  value = aws_db_instance.db.endpoint
}

output "redis_endpoint" {
  value = "${aws_elasticache_replication_group.redis.primary_endpoint_address}:${aws_elasticache_replication_group.redis.port}"
}

output "proofs_bucket_name" {
  value = aws_s3_bucket.proofs.id
}
