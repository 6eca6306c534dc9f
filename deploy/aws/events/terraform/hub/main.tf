# Where the events of many accounts and Regions meet: an event bus, and the queue that the operator reads. Once, in the
# hub's account and Region; the module member goes to every account and Region with a side of a peering.

resource "aws_cloudwatch_event_bus" "hub" {
  name = var.name
}

# PutEvents alone: nobody else may make rules here. Nor can a member forge AWS's events, as PutEvents refuses sources
# that begin with "aws.", and the rules below take no others.
resource "aws_cloudwatch_event_bus_policy" "hub" {
  count          = length(var.member_account_ids) > 0 || var.organization_id != null ? 1 : 0
  event_bus_name = aws_cloudwatch_event_bus.hub.name
  policy         = data.aws_iam_policy_document.hub.json
}

data "aws_iam_policy_document" "hub" {
  dynamic "statement" {
    for_each = length(var.member_account_ids) > 0 ? [var.member_account_ids] : []
    content {
      sid       = "AccountsSend"
      actions   = ["events:PutEvents"]
      resources = [aws_cloudwatch_event_bus.hub.arn]
      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = var.organization_id[*]
    content {
      sid       = "OrganizationSends"
      actions   = ["events:PutEvents"]
      resources = [aws_cloudwatch_event_bus.hub.arn]
      principals {
        type        = "*"
        identifiers = ["*"]
      }
      condition {
        test     = "StringEquals"
        variable = "aws:PrincipalOrgID"
        values   = [statement.value]
      }
    }
  }
}

# Every call that touches a peering or what hangs on it, and those that would keep us from hearing of one.
resource "aws_cloudwatch_event_rule" "calls" {
  name           = var.name
  event_bus_name = aws_cloudwatch_event_bus.hub.name
  description    = "Calls that touch VPC peerings, and calls that would silence this rule."
  event_pattern  = jsonencode(jsondecode(file("${path.module}/../../pattern.json")))
}

# A rule that was disabled doesn't report it. So there are two that each report what is done to the other; what comes
# twice is told by its eventID.
resource "aws_cloudwatch_event_rule" "watch" {
  name           = "${var.name}-watch"
  event_bus_name = aws_cloudwatch_event_bus.hub.name
  description    = "Calls that would silence the other rule."
  event_pattern  = jsonencode(jsondecode(file("${path.module}/../../watch.json")))
}

resource "aws_cloudwatch_event_target" "calls" {
  rule           = aws_cloudwatch_event_rule.calls.name
  event_bus_name = aws_cloudwatch_event_bus.hub.name
  target_id      = "queue"
  arn            = module.queue.queue_arn
  dead_letter_config {
    arn = module.queue.dead_letters_arn
  }
}

resource "aws_cloudwatch_event_target" "watch" {
  rule           = aws_cloudwatch_event_rule.watch.name
  event_bus_name = aws_cloudwatch_event_bus.hub.name
  target_id      = "queue"
  arn            = module.queue.queue_arn
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
