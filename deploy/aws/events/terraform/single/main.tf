# One account and one Region: rules that put what CloudTrail reports of VPC peerings into a queue for the operator. A
# trail that logs management events must exist. For several accounts or Regions: the modules hub and member.

# Every call that touches a peering or what hangs on it, and those that would keep us from hearing of one.
resource "aws_cloudwatch_event_rule" "calls" {
  name          = var.name
  description   = "Calls that touch VPC peerings, and calls that would silence this rule."
  event_pattern = jsonencode(jsondecode(file("${path.module}/../../pattern.json")))
}

# A rule that was disabled doesn't report it. So there are two that each report what is done to the other; what comes
# twice is told by its eventID.
resource "aws_cloudwatch_event_rule" "watch" {
  name          = "${var.name}-watch"
  description   = "Calls that would silence the other rule."
  event_pattern = jsonencode(jsondecode(file("${path.module}/../../watch.json")))
}

resource "aws_cloudwatch_event_target" "calls" {
  rule      = aws_cloudwatch_event_rule.calls.name
  target_id = "queue"
  arn       = module.queue.queue_arn
  dead_letter_config {
    arn = module.queue.dead_letters_arn
  }
}

resource "aws_cloudwatch_event_target" "watch" {
  rule      = aws_cloudwatch_event_rule.watch.name
  target_id = "queue"
  arn       = module.queue.queue_arn
  dead_letter_config {
    arn = module.queue.dead_letters_arn
  }
}

module "queue" {
  source            = "../queue"
  name              = var.name
  customer_key      = var.customer_key
  consumer_role_arn = var.consumer_role_arn
  rule_arns         = [aws_cloudwatch_event_rule.calls.arn, aws_cloudwatch_event_rule.watch.arn]
}
