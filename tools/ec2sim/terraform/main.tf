# Two accounts and two Regions, peered twice: everything of the AWS provider that a peering touches.
# run.py applies, changes and destroys it against a fresh ec2sim.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "Where ec2sim listens."
}

variable "changed" {
  type        = bool
  default     = false
  description = "What is applied second differs from what was applied first in every kind of thing that can be changed."
}

locals {
  us   = "111122223333"
  them = "444455556666"
}

# An access key id of 12 digits is that account.
provider "aws" {
  region     = "eu-west-1"
  access_key = local.us
  secret_key = "any"
  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
  }
  default_tags {
    tags = { owner = "terraform" }
  }
}

provider "aws" {
  alias      = "far"
  region     = "us-east-1"
  access_key = local.them
  secret_key = "any"
  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
  }
}

provider "aws" {
  alias      = "near"
  region     = "eu-west-1"
  access_key = local.them
  secret_key = "any"
  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
  }
}

data "aws_caller_identity" "us" {}

data "aws_availability_zones" "here" {
  state = "available"
}

# --- Ours, in Ireland ---

resource "aws_vpc" "ours" {
  cidr_block           = "10.1.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.changed ? "ours, changed" : "ours" }
}

resource "aws_vpc_ipv4_cidr_block_association" "more" {
  vpc_id     = aws_vpc.ours.id
  cidr_block = "10.8.0.0/16"
}

resource "aws_subnet" "ours" {
  count                   = var.changed ? 3 : 2
  vpc_id                  = aws_vpc.ours.id
  cidr_block              = cidrsubnet(aws_vpc.ours.cidr_block, 8, count.index)
  availability_zone       = data.aws_availability_zones.here.names[count.index]
  map_public_ip_on_launch = var.changed
  tags                    = { Name = "ours-${count.index}" }
}

resource "aws_subnet" "more" {
  vpc_id                                      = aws_vpc_ipv4_cidr_block_association.more.vpc_id
  cidr_block                                  = cidrsubnet(aws_vpc_ipv4_cidr_block_association.more.cidr_block, 4, 1)
  private_dns_hostname_type_on_launch         = "resource-name"
  enable_resource_name_dns_a_record_on_launch = true
}

resource "aws_internet_gateway" "ours" {
  vpc_id = aws_vpc.ours.id
  tags   = { Name = "ours" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.ours.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.ours.id
  }

  dynamic "route" {
    for_each = var.changed ? ["10.99.0.0/16"] : []
    content {
      cidr_block                = route.value
      vpc_peering_connection_id = aws_vpc_peering_connection_accepter.far.id
    }
  }

  tags = { tier = "public" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.ours.id
  tags   = { tier = "private" }
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.ours[0].id
  route_table_id = var.changed ? aws_route_table.private.id : aws_route_table.public.id
}

resource "aws_main_route_table_association" "ours" {
  vpc_id         = aws_vpc.ours.id
  route_table_id = aws_route_table.private.id
}

resource "aws_default_security_group" "ours" {
  vpc_id = aws_vpc.ours.id
}

resource "aws_ec2_managed_prefix_list" "peers" {
  name           = "peers"
  address_family = "IPv4"
  max_entries    = var.changed ? 6 : 5

  entry {
    cidr        = "10.64.0.0/16"
    description = "one"
  }

  dynamic "entry" {
    for_each = var.changed ? ["10.65.0.0/16"] : []
    content {
      cidr        = entry.value
      description = "two"
    }
  }

  tags = { kind = "peers" }
}

# --- Theirs, in Virginia, and what joins the two ---

resource "aws_vpc" "far" {
  provider             = aws.far
  cidr_block           = "10.2.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "far" }
}

resource "aws_vpc_peering_connection" "far" {
  vpc_id        = aws_vpc.ours.id
  peer_vpc_id   = aws_vpc.far.id
  peer_owner_id = local.them
  peer_region   = "us-east-1"
  auto_accept   = false
  tags          = { side = "requester", changed = var.changed }

  # While a request is pending, its requester may add no block to its VPC.
  depends_on = [aws_vpc_ipv4_cidr_block_association.more]
}

resource "aws_vpc_peering_connection_accepter" "far" {
  provider                  = aws.far
  vpc_peering_connection_id = aws_vpc_peering_connection.far.id
  auto_accept               = true
  tags                      = { side = "accepter" }
}

resource "aws_vpc_peering_connection_options" "requester" {
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.far.id

  requester {
    allow_remote_vpc_dns_resolution = !var.changed
  }
}

resource "aws_vpc_peering_connection_options" "accepter" {
  provider                  = aws.far
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.far.id

  accepter {
    allow_remote_vpc_dns_resolution = true
  }
}

resource "aws_route" "to_far" {
  route_table_id            = aws_route_table.private.id
  destination_cidr_block    = aws_vpc.far.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.far.id
}

resource "aws_route" "to_list" {
  route_table_id             = aws_route_table.private.id
  destination_prefix_list_id = aws_ec2_managed_prefix_list.peers.id
  vpc_peering_connection_id  = aws_vpc_peering_connection_accepter.far.id
}

resource "aws_route" "from_far" {
  provider                  = aws.far
  route_table_id            = aws_vpc.far.main_route_table_id
  destination_cidr_block    = aws_vpc.ours.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.far.id
}

# --- Theirs, next door: rules may name groups of a peer in the same Region ---

resource "aws_vpc" "near" {
  provider   = aws.near
  cidr_block = "10.3.0.0/16"
  tags       = { Name = "near" }
}

resource "aws_vpc_peering_connection" "near" {
  vpc_id        = aws_vpc.ours.id
  peer_vpc_id   = aws_vpc.near.id
  peer_owner_id = local.them

  depends_on = [aws_vpc_ipv4_cidr_block_association.more]
}

resource "aws_vpc_peering_connection_accepter" "near" {
  provider                  = aws.near
  vpc_peering_connection_id = aws_vpc_peering_connection.near.id
  auto_accept               = true
}

resource "aws_security_group" "near" {
  provider    = aws.near
  name        = "clients"
  description = "who may come in next door"
  vpc_id      = aws_vpc.near.id
}

resource "aws_security_group" "ours" {
  name        = "service"
  description = "lets the peer in"
  vpc_id      = aws_vpc.ours.id
  tags        = { Name = "service" }
}

resource "aws_vpc_security_group_ingress_rule" "from_near" {
  security_group_id            = aws_security_group.ours.id
  referenced_security_group_id = "${local.them}/${aws_security_group.near.id}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  description                  = "from the peer next door"
  # Nothing but the tags: for any other change of a rule that names another account's group, the provider sends the id
  # with the account before it, which AWS refuses (hashicorp/terraform-provider-aws#36958), and so does ec2sim.
  tags = { Name = var.changed ? "from-near, changed" : "from-near" }

  depends_on = [aws_vpc_peering_connection_accepter.near]
}

resource "aws_vpc_security_group_ingress_rule" "from_far" {
  security_group_id = aws_security_group.ours.id
  cidr_ipv4         = aws_vpc.far.cidr_block
  ip_protocol       = "-1"
  description       = var.changed ? "said anew" : "from far away"
}

resource "aws_vpc_security_group_egress_rule" "to_list" {
  security_group_id = aws_security_group.ours.id
  prefix_list_id    = aws_ec2_managed_prefix_list.peers.id
  ip_protocol       = "udp"
  from_port         = 53
  to_port           = 53
}

# The older ways to write rules.
resource "aws_security_group" "inline" {
  name_prefix = "inline-"
  description = "rules written within it"
  vpc_id      = aws_vpc.ours.id

  ingress {
    description     = "several at once"
    protocol        = "tcp"
    from_port       = 80
    to_port         = var.changed ? 81 : 80
    cidr_blocks     = ["10.2.0.0/16", "10.3.0.0/16"]
    security_groups = [aws_security_group.ours.id]
    self            = true
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "apart" {
  name        = "apart"
  description = "rules written beside it"
  vpc_id      = aws_vpc.ours.id
}

resource "aws_security_group_rule" "apart" {
  type                     = "ingress"
  security_group_id        = aws_security_group.apart.id
  source_security_group_id = aws_security_group.inline.id
  protocol                 = "icmp"
  from_port                = 8
  to_port                  = 0
  description              = var.changed ? "echo, changed" : "echo"
}

resource "aws_ec2_tag" "near" {
  resource_id = aws_vpc.near.main_route_table_id
  key         = "seen-from"
  value       = var.changed ? "changed" : "here"
  provider    = aws.near
}

# --- Looked up again ---

data "aws_vpc" "ours" {
  filter {
    name   = "cidr"
    values = [aws_vpc.ours.cidr_block]
  }
}

data "aws_subnets" "ours" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.ours.id]
  }
  depends_on = [aws_subnet.ours, aws_subnet.more]
}

data "aws_vpc_peering_connection" "far" {
  id = aws_vpc_peering_connection_accepter.far.id
}

data "aws_route_tables" "private" {
  vpc_id = aws_vpc.ours.id
  tags   = { tier = "private" }

  depends_on = [aws_route_table.private]
}

data "aws_security_group" "default" {
  vpc_id = aws_vpc.ours.id
  name   = "default"
}

data "aws_ec2_managed_prefix_list" "peers" {
  id = aws_ec2_managed_prefix_list.peers.id
}

output "account" {
  value = data.aws_caller_identity.us.account_id
}

output "peering_id" {
  value = aws_vpc_peering_connection.far.id
}

output "seen" {
  value = {
    vpc            = data.aws_vpc.ours.id == aws_vpc.ours.id
    subnets        = length(data.aws_subnets.ours.ids)
    peering_status = data.aws_vpc_peering_connection.far.status
    private_tables = length(data.aws_route_tables.private.ids)
    default_group  = data.aws_security_group.default.id == aws_vpc.ours.default_security_group_id
    list_entries   = length(data.aws_ec2_managed_prefix_list.peers.entries)
  }
}
