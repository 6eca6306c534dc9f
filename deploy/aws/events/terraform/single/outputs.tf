output "queue_url" {
  description = "For the operator's --event-queue-url."
  value       = module.queue.queue_url
}

output "queue_arn" {
  description = "For the operator's IAM policy."
  value       = module.queue.queue_arn
}

output "dead_letters_url" {
  description = "Look here when events do not come."
  value       = module.queue.dead_letters_url
}

output "key_arn" {
  description = "For the operator's IAM policy; null without a customer key."
  value       = module.queue.key_arn
}
