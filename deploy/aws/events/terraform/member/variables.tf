variable "name" {
  description = "Names the queues, the rules and what else is made here."
  type        = string
  default     = "peerkeeper-events"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,49}$", var.name))
    error_message = "name: letters, digits and hyphens, a letter first, 50 at most."
  }
}

variable "hub_bus_arn" {
  description = "The output bus_arn of the hub. It may be of another account and of another Region."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+$", var.hub_bus_arn))
    error_message = "hub_bus_arn: as arn:aws:events:eu-west-1:999900001111:event-bus/peerkeeper-events."
  }
}
