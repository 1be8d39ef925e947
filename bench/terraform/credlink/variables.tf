variable "endpoint" {
  type        = string
  description = "URL of the sandbox, http://127.0.0.1:…"
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "instance_class" {
  type    = string
  default = "db.t3.small"
}

variable "protected" {
  type        = bool
  default     = false
  description = "Deletion protection of the database; true is what the plan says."
}

variable "recovery_days" {
  type        = number
  default     = 7
  description = "Days for which a deleted secret can be had back; 0 frees its name at once."
}
