output "rule_arn" {
  description = "Forwards the calls."
  value       = aws_cloudwatch_event_rule.calls.arn
}
