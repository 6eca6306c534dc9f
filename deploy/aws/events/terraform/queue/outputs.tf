output "queue_url" {
  description = "For the operator's --event-queue-url."
  value       = aws_sqs_queue.events.id
}

output "queue_arn" {
  description = "For the operator's IAM policy."
  value       = aws_sqs_queue.events.arn
}

output "dead_letters_url" {
  description = "Look here when events do not come."
  value       = aws_sqs_queue.dead_letters.id
}

output "dead_letters_arn" {
  description = "Where the rules put what they can't deliver."
  value       = aws_sqs_queue.dead_letters.arn
}

output "key_arn" {
  description = "For the operator's IAM policy; null without a customer key."
  value       = one(aws_kms_key.this[*].arn)
}
