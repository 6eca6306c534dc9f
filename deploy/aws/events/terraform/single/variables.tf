variable "name" {
  description = "Names the queues, the rules and what else is made here."
  type        = string
  default     = "peerkeeper-events"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,49}$", var.name))
    error_message = "name: letters, digits and hyphens, a letter first, 50 at most."
  }
}

variable "customer_key" {
  description = "Encrypt by a KMS key that is made here, for whoever must hold the key. Else by keys of SQS, which cost nothing and which nobody can disable or misconfigure."
  type        = bool
  default     = false
}

variable "consumer_role_arn" {
  description = "The operator's role, where that is in another account than the queue."
  type        = string
  default     = null
}
