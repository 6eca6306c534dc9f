# In every account and Region with a side of a peering, the hub's included: rules that forward what CloudTrail reports
# of VPC peerings to the hub's event bus. A trail that logs management events must exist.

data "aws_caller_identity" "this" {}

# AWS asks for a role wherever the target is another event bus. Roles are global, and this module goes to every Region:
# hence no fixed name.
resource "aws_iam_role" "forward" {
  name_prefix        = substr(var.name, 0, 38)
  description        = "Lets EventBridge forward what touches VPC peerings to Peerkeeper's hub."
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "EventBridgeOfThisAccount"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role_policy" "forward" {
  name   = "forward"
  role   = aws_iam_role.forward.id
  policy = data.aws_iam_policy_document.forward.json
}

data "aws_iam_policy_document" "forward" {
  statement {
    sid       = "PutEventsToTheHub"
    actions   = ["events:PutEvents"]
    resources = [var.hub_bus_arn]
  }
}

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
  target_id = "hub"
  arn       = var.hub_bus_arn
  role_arn  = aws_iam_role.forward.arn
}

resource "aws_cloudwatch_event_target" "watch" {
  rule      = aws_cloudwatch_event_rule.watch.name
  target_id = "hub"
  arn       = var.hub_bus_arn
  role_arn  = aws_iam_role.forward.arn
}
