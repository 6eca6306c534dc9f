// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of Amazon Elastic Compute Cloud, API version 2016-11-15, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "ec2", protocol: Protocol::Ec2,
    api_version: "2016-11-15", xml_namespace: Some("http://ec2.amazonaws.com/doc/2016-11-15"),
    target_prefix: None, operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("AcceptVpcPeeringConnection", Some(&AcceptVpcPeeringConnectionRequest), Some(&AcceptVpcPeeringConnectionResult), None),
    operation("AssociateRouteTable", Some(&AssociateRouteTableRequest), Some(&AssociateRouteTableResult), None),
    operation("AssociateSubnetCidrBlock", Some(&AssociateSubnetCidrBlockRequest), Some(&AssociateSubnetCidrBlockResult), None),
    operation("AssociateVpcCidrBlock", Some(&AssociateVpcCidrBlockRequest), Some(&AssociateVpcCidrBlockResult), None),
    operation("AttachInternetGateway", Some(&AttachInternetGatewayRequest), None, None),
    operation("AuthorizeSecurityGroupEgress", Some(&AuthorizeSecurityGroupEgressRequest), Some(&AuthorizeSecurityGroupEgressResult), None),
    operation("AuthorizeSecurityGroupIngress", Some(&AuthorizeSecurityGroupIngressRequest), Some(&AuthorizeSecurityGroupIngressResult), None),
    operation("CreateInternetGateway", Some(&CreateInternetGatewayRequest), Some(&CreateInternetGatewayResult), None),
    operation("CreateManagedPrefixList", Some(&CreateManagedPrefixListRequest), Some(&CreateManagedPrefixListResult), None),
    operation("CreateRoute", Some(&CreateRouteRequest), Some(&CreateRouteResult), None),
    operation("CreateRouteTable", Some(&CreateRouteTableRequest), Some(&CreateRouteTableResult), None),
    operation("CreateSecurityGroup", Some(&CreateSecurityGroupRequest), Some(&CreateSecurityGroupResult), None),
    operation("CreateSubnet", Some(&CreateSubnetRequest), Some(&CreateSubnetResult), None),
    operation("CreateTags", Some(&CreateTagsRequest), None, None),
    operation("CreateVpc", Some(&CreateVpcRequest), Some(&CreateVpcResult), None),
    operation("CreateVpcPeeringConnection", Some(&CreateVpcPeeringConnectionRequest), Some(&CreateVpcPeeringConnectionResult), None),
    operation("DeleteInternetGateway", Some(&DeleteInternetGatewayRequest), None, None),
    operation("DeleteManagedPrefixList", Some(&DeleteManagedPrefixListRequest), Some(&DeleteManagedPrefixListResult), None),
    operation("DeleteRoute", Some(&DeleteRouteRequest), None, None),
    operation("DeleteRouteTable", Some(&DeleteRouteTableRequest), None, None),
    operation("DeleteSecurityGroup", Some(&DeleteSecurityGroupRequest), Some(&DeleteSecurityGroupResult), None),
    operation("DeleteSubnet", Some(&DeleteSubnetRequest), None, None),
    operation("DeleteTags", Some(&DeleteTagsRequest), None, None),
    operation("DeleteVpc", Some(&DeleteVpcRequest), None, None),
    operation("DeleteVpcPeeringConnection", Some(&DeleteVpcPeeringConnectionRequest), Some(&DeleteVpcPeeringConnectionResult), None),
    operation("DescribeAccountAttributes", Some(&DescribeAccountAttributesRequest), Some(&DescribeAccountAttributesResult), None),
    operation("DescribeAvailabilityZones", Some(&DescribeAvailabilityZonesRequest), Some(&DescribeAvailabilityZonesResult), None),
    operation("DescribeInternetGateways", Some(&DescribeInternetGatewaysRequest), Some(&DescribeInternetGatewaysResult), None),
    operation("DescribeManagedPrefixLists", Some(&DescribeManagedPrefixListsRequest), Some(&DescribeManagedPrefixListsResult), None),
    operation("DescribeNetworkAcls", Some(&DescribeNetworkAclsRequest), Some(&DescribeNetworkAclsResult), None),
    operation("DescribeNetworkInterfaces", Some(&DescribeNetworkInterfacesRequest), Some(&DescribeNetworkInterfacesResult), None),
    operation("DescribePrefixLists", Some(&DescribePrefixListsRequest), Some(&DescribePrefixListsResult), None),
    operation("DescribeRegions", Some(&DescribeRegionsRequest), Some(&DescribeRegionsResult), None),
    operation("DescribeRouteTables", Some(&DescribeRouteTablesRequest), Some(&DescribeRouteTablesResult), None),
    operation("DescribeSecurityGroupReferences", Some(&DescribeSecurityGroupReferencesRequest), Some(&DescribeSecurityGroupReferencesResult), None),
    operation("DescribeSecurityGroupRules", Some(&DescribeSecurityGroupRulesRequest), Some(&DescribeSecurityGroupRulesResult), None),
    operation("DescribeSecurityGroups", Some(&DescribeSecurityGroupsRequest), Some(&DescribeSecurityGroupsResult), None),
    operation("DescribeStaleSecurityGroups", Some(&DescribeStaleSecurityGroupsRequest), Some(&DescribeStaleSecurityGroupsResult), None),
    operation("DescribeSubnets", Some(&DescribeSubnetsRequest), Some(&DescribeSubnetsResult), None),
    operation("DescribeTags", Some(&DescribeTagsRequest), Some(&DescribeTagsResult), None),
    operation("DescribeVpcAttribute", Some(&DescribeVpcAttributeRequest), Some(&DescribeVpcAttributeResult), None),
    operation("DescribeVpcPeeringConnections", Some(&DescribeVpcPeeringConnectionsRequest), Some(&DescribeVpcPeeringConnectionsResult), None),
    operation("DescribeVpcs", Some(&DescribeVpcsRequest), Some(&DescribeVpcsResult), None),
    operation("DetachInternetGateway", Some(&DetachInternetGatewayRequest), None, None),
    operation("DisableVgwRoutePropagation", Some(&DisableVgwRoutePropagationRequest), None, None),
    operation("DisassociateRouteTable", Some(&DisassociateRouteTableRequest), None, None),
    operation("DisassociateSubnetCidrBlock", Some(&DisassociateSubnetCidrBlockRequest), Some(&DisassociateSubnetCidrBlockResult), None),
    operation("DisassociateVpcCidrBlock", Some(&DisassociateVpcCidrBlockRequest), Some(&DisassociateVpcCidrBlockResult), None),
    operation("EnableVgwRoutePropagation", Some(&EnableVgwRoutePropagationRequest), None, None),
    operation("GetManagedPrefixListAssociations", Some(&GetManagedPrefixListAssociationsRequest), Some(&GetManagedPrefixListAssociationsResult), None),
    operation("GetManagedPrefixListEntries", Some(&GetManagedPrefixListEntriesRequest), Some(&GetManagedPrefixListEntriesResult), None),
    operation("ModifyManagedPrefixList", Some(&ModifyManagedPrefixListRequest), Some(&ModifyManagedPrefixListResult), None),
    operation("ModifySecurityGroupRules", Some(&ModifySecurityGroupRulesRequest), Some(&ModifySecurityGroupRulesResult), None),
    operation("ModifySubnetAttribute", Some(&ModifySubnetAttributeRequest), None, None),
    operation("ModifyVpcAttribute", Some(&ModifyVpcAttributeRequest), None, None),
    operation("ModifyVpcPeeringConnectionOptions", Some(&ModifyVpcPeeringConnectionOptionsRequest), Some(&ModifyVpcPeeringConnectionOptionsResult), None),
    operation("RejectVpcPeeringConnection", Some(&RejectVpcPeeringConnectionRequest), Some(&RejectVpcPeeringConnectionResult), None),
    operation("ReplaceRoute", Some(&ReplaceRouteRequest), None, None),
    operation("ReplaceRouteTableAssociation", Some(&ReplaceRouteTableAssociationRequest), Some(&ReplaceRouteTableAssociationResult), None),
    operation("RevokeSecurityGroupEgress", Some(&RevokeSecurityGroupEgressRequest), Some(&RevokeSecurityGroupEgressResult), None),
    operation("RevokeSecurityGroupIngress", Some(&RevokeSecurityGroupIngressRequest), Some(&RevokeSecurityGroupIngressResult), None),
    operation("UpdateSecurityGroupRuleDescriptionsEgress", Some(&UpdateSecurityGroupRuleDescriptionsEgressRequest), Some(&UpdateSecurityGroupRuleDescriptionsEgressResult), None),
    operation("UpdateSecurityGroupRuleDescriptionsIngress", Some(&UpdateSecurityGroupRuleDescriptionsIngressRequest), Some(&UpdateSecurityGroupRuleDescriptionsIngressResult), None),
];

static ERRORS: &[ErrorShape] = &[
];

static AcceptVpcPeeringConnectionRequest: Structure = Structure { name: "AcceptVpcPeeringConnectionRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
] };
static AcceptVpcPeeringConnectionResult: Structure = Structure { name: "AcceptVpcPeeringConnectionResult", members: &[
    optional("VpcPeeringConnection", "VpcPeeringConnection", "vpcPeeringConnection", &Shape::Struct(&VpcPeeringConnection)),
] };
static AccountAttribute: Structure = Structure { name: "AccountAttribute", members: &[
    optional("AttributeName", "AttributeName", "attributeName", &TEXT),
    optional("AttributeValues", "AttributeValueSet", "attributeValueSet", &AccountAttributeValueList),
] };
static AccountAttributeList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&AccountAttribute) });
static AccountAttributeName: Shape = Shape::Text(&["default-vpc", "supported-platforms"]);
static AccountAttributeNameStringList: Shape = Shape::List(&List { item_name: Some("attributeName"), item: &AccountAttributeName });
static AccountAttributeValue: Structure = Structure { name: "AccountAttributeValue", members: &[
    optional("AttributeValue", "AttributeValue", "attributeValue", &TEXT),
] };
static AccountAttributeValueList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&AccountAttributeValue) });
static AddPrefixListEntries: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&AddPrefixListEntry) });
static AddPrefixListEntry: Structure = Structure { name: "AddPrefixListEntry", members: &[
    required("Cidr", "Cidr", "Cidr", &TEXT),
    optional("Description", "Description", "Description", &TEXT),
] };
static AssociateRouteTableRequest: Structure = Structure { name: "AssociateRouteTableRequest", members: &[
    optional("GatewayId", "GatewayId", "GatewayId", &TEXT),
    optional("PublicIpv4Pool", "PublicIpv4Pool", "PublicIpv4Pool", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
    required("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
] };
static AssociateRouteTableResult: Structure = Structure { name: "AssociateRouteTableResult", members: &[
    optional("AssociationId", "AssociationId", "associationId", &TEXT),
    optional("AssociationState", "AssociationState", "associationState", &Shape::Struct(&RouteTableAssociationState)),
] };
static AssociateSubnetCidrBlockRequest: Structure = Structure { name: "AssociateSubnetCidrBlockRequest", members: &[
    optional("Ipv6IpamPoolId", "Ipv6IpamPoolId", "Ipv6IpamPoolId", &TEXT),
    optional("Ipv6NetmaskLength", "Ipv6NetmaskLength", "Ipv6NetmaskLength", &INT),
    required("SubnetId", "SubnetId", "subnetId", &TEXT),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "ipv6CidrBlock", &TEXT),
] };
static AssociateSubnetCidrBlockResult: Structure = Structure { name: "AssociateSubnetCidrBlockResult", members: &[
    optional("Ipv6CidrBlockAssociation", "Ipv6CidrBlockAssociation", "ipv6CidrBlockAssociation", &Shape::Struct(&SubnetIpv6CidrBlockAssociation)),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
] };
static AssociateVpcCidrBlockRequest: Structure = Structure { name: "AssociateVpcCidrBlockRequest", members: &[
    optional("CidrBlock", "CidrBlock", "CidrBlock", &TEXT),
    optional("Ipv6CidrBlockNetworkBorderGroup", "Ipv6CidrBlockNetworkBorderGroup", "Ipv6CidrBlockNetworkBorderGroup", &TEXT),
    optional("Ipv6Pool", "Ipv6Pool", "Ipv6Pool", &TEXT),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "Ipv6CidrBlock", &TEXT),
    optional("Ipv4IpamPoolId", "Ipv4IpamPoolId", "Ipv4IpamPoolId", &TEXT),
    optional("Ipv4NetmaskLength", "Ipv4NetmaskLength", "Ipv4NetmaskLength", &INT),
    optional("Ipv6IpamPoolId", "Ipv6IpamPoolId", "Ipv6IpamPoolId", &TEXT),
    optional("Ipv6NetmaskLength", "Ipv6NetmaskLength", "Ipv6NetmaskLength", &INT),
    required("VpcId", "VpcId", "vpcId", &TEXT),
    optional("AmazonProvidedIpv6CidrBlock", "AmazonProvidedIpv6CidrBlock", "amazonProvidedIpv6CidrBlock", &BOOL),
] };
static AssociateVpcCidrBlockResult: Structure = Structure { name: "AssociateVpcCidrBlockResult", members: &[
    optional("Ipv6CidrBlockAssociation", "Ipv6CidrBlockAssociation", "ipv6CidrBlockAssociation", &Shape::Struct(&VpcIpv6CidrBlockAssociation)),
    optional("CidrBlockAssociation", "CidrBlockAssociation", "cidrBlockAssociation", &Shape::Struct(&VpcCidrBlockAssociation)),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
] };
static AssociatedSubnetList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static AttachInternetGatewayRequest: Structure = Structure { name: "AttachInternetGatewayRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("InternetGatewayId", "InternetGatewayId", "internetGatewayId", &TEXT),
    required("VpcId", "VpcId", "vpcId", &TEXT),
] };
static AttachmentEnaSrdSpecification: Structure = Structure { name: "AttachmentEnaSrdSpecification", members: &[
    optional("EnaSrdEnabled", "EnaSrdEnabled", "enaSrdEnabled", &BOOL),
    optional("EnaSrdUdpSpecification", "EnaSrdUdpSpecification", "enaSrdUdpSpecification", &Shape::Struct(&AttachmentEnaSrdUdpSpecification)),
] };
static AttachmentEnaSrdUdpSpecification: Structure = Structure { name: "AttachmentEnaSrdUdpSpecification", members: &[
    optional("EnaSrdUdpEnabled", "EnaSrdUdpEnabled", "enaSrdUdpEnabled", &BOOL),
] };
static AttachmentStatus: Shape = Shape::Text(&["attached", "attaching", "available", "detached", "detaching"]);
static AttributeBooleanValue: Structure = Structure { name: "AttributeBooleanValue", members: &[
    optional("Value", "Value", "value", &BOOL),
] };
static AuthorizeSecurityGroupEgressRequest: Structure = Structure { name: "AuthorizeSecurityGroupEgressRequest", members: &[
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("GroupId", "GroupId", "groupId", &TEXT),
    optional("SourceSecurityGroupName", "SourceSecurityGroupName", "sourceSecurityGroupName", &TEXT),
    optional("SourceSecurityGroupOwnerId", "SourceSecurityGroupOwnerId", "sourceSecurityGroupOwnerId", &TEXT),
    optional("IpProtocol", "IpProtocol", "ipProtocol", &TEXT),
    optional("FromPort", "FromPort", "fromPort", &INT),
    optional("ToPort", "ToPort", "toPort", &INT),
    optional("CidrIp", "CidrIp", "cidrIp", &TEXT),
    optional("IpPermissions", "IpPermissions", "ipPermissions", &IpPermissionList),
] };
static AuthorizeSecurityGroupEgressResult: Structure = Structure { name: "AuthorizeSecurityGroupEgressResult", members: &[
    optional("Return", "Return", "return", &BOOL),
    optional("SecurityGroupRules", "SecurityGroupRuleSet", "securityGroupRuleSet", &SecurityGroupRuleList),
] };
static AuthorizeSecurityGroupIngressRequest: Structure = Structure { name: "AuthorizeSecurityGroupIngressRequest", members: &[
    optional("CidrIp", "CidrIp", "CidrIp", &TEXT),
    optional("FromPort", "FromPort", "FromPort", &INT),
    optional("GroupId", "GroupId", "GroupId", &TEXT),
    optional("GroupName", "GroupName", "GroupName", &TEXT),
    optional("IpPermissions", "IpPermissions", "IpPermissions", &IpPermissionList),
    optional("IpProtocol", "IpProtocol", "IpProtocol", &TEXT),
    optional("SourceSecurityGroupName", "SourceSecurityGroupName", "SourceSecurityGroupName", &TEXT),
    optional("SourceSecurityGroupOwnerId", "SourceSecurityGroupOwnerId", "SourceSecurityGroupOwnerId", &TEXT),
    optional("ToPort", "ToPort", "ToPort", &INT),
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static AuthorizeSecurityGroupIngressResult: Structure = Structure { name: "AuthorizeSecurityGroupIngressResult", members: &[
    optional("Return", "Return", "return", &BOOL),
    optional("SecurityGroupRules", "SecurityGroupRuleSet", "securityGroupRuleSet", &SecurityGroupRuleList),
] };
static AvailabilityZone: Structure = Structure { name: "AvailabilityZone", members: &[
    optional("OptInStatus", "OptInStatus", "optInStatus", &AvailabilityZoneOptInStatus),
    optional("Messages", "MessageSet", "messageSet", &AvailabilityZoneMessageList),
    optional("RegionName", "RegionName", "regionName", &TEXT),
    optional("ZoneName", "ZoneName", "zoneName", &TEXT),
    optional("ZoneId", "ZoneId", "zoneId", &TEXT),
    optional("GroupName", "GroupName", "groupName", &TEXT),
    optional("NetworkBorderGroup", "NetworkBorderGroup", "networkBorderGroup", &TEXT),
    optional("ZoneType", "ZoneType", "zoneType", &TEXT),
    optional("ParentZoneName", "ParentZoneName", "parentZoneName", &TEXT),
    optional("ParentZoneId", "ParentZoneId", "parentZoneId", &TEXT),
    optional("GroupLongName", "GroupLongName", "groupLongName", &TEXT),
    optional("Geography", "GeographySet", "geographySet", &AvailabilityZoneGeographyList),
    optional("SubGeography", "SubGeographySet", "subGeographySet", &AvailabilityZoneSubGeographyList),
    optional("State", "ZoneState", "zoneState", &AvailabilityZoneState),
] };
static AvailabilityZoneGeography: Structure = Structure { name: "AvailabilityZoneGeography", members: &[
    optional("Name", "Name", "name", &TEXT),
] };
static AvailabilityZoneGeographyList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&AvailabilityZoneGeography) });
static AvailabilityZoneList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&AvailabilityZone) });
static AvailabilityZoneMessage: Structure = Structure { name: "AvailabilityZoneMessage", members: &[
    optional("Message", "Message", "message", &TEXT),
] };
static AvailabilityZoneMessageList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&AvailabilityZoneMessage) });
static AvailabilityZoneOptInStatus: Shape = Shape::Text(&["not-opted-in", "opt-in-not-required", "opted-in"]);
static AvailabilityZoneState: Shape = Shape::Text(&["available", "constrained", "impaired", "information", "unavailable"]);
static AvailabilityZoneSubGeography: Structure = Structure { name: "AvailabilityZoneSubGeography", members: &[
    optional("Name", "Name", "name", &TEXT),
] };
static AvailabilityZoneSubGeographyList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&AvailabilityZoneSubGeography) });
static BlockPublicAccessMode: Shape = Shape::Text(&["block-bidirectional", "block-ingress", "off"]);
static BlockPublicAccessStates: Structure = Structure { name: "BlockPublicAccessStates", members: &[
    optional("InternetGatewayBlockMode", "InternetGatewayBlockMode", "internetGatewayBlockMode", &BlockPublicAccessMode),
] };
static CidrBlock: Structure = Structure { name: "CidrBlock", members: &[
    optional("CidrBlock", "CidrBlock", "cidrBlock", &TEXT),
] };
static CidrBlockSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&CidrBlock) });
static ConnectionTrackingConfiguration: Structure = Structure { name: "ConnectionTrackingConfiguration", members: &[
    optional("TcpEstablishedTimeout", "TcpEstablishedTimeout", "tcpEstablishedTimeout", &INT),
    optional("UdpStreamTimeout", "UdpStreamTimeout", "udpStreamTimeout", &INT),
    optional("UdpTimeout", "UdpTimeout", "udpTimeout", &INT),
] };
static CreateInternetGatewayRequest: Structure = Structure { name: "CreateInternetGatewayRequest", members: &[
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static CreateInternetGatewayResult: Structure = Structure { name: "CreateInternetGatewayResult", members: &[
    optional("InternetGateway", "InternetGateway", "internetGateway", &Shape::Struct(&InternetGateway)),
] };
static CreateManagedPrefixListRequest: Structure = Structure { name: "CreateManagedPrefixListRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    required("PrefixListName", "PrefixListName", "PrefixListName", &TEXT),
    optional("Entries", "Entry", "Entry", &AddPrefixListEntries),
    required("MaxEntries", "MaxEntries", "MaxEntries", &INT),
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    required("AddressFamily", "AddressFamily", "AddressFamily", &TEXT),
    optional("ClientToken", "ClientToken", "ClientToken", &TEXT),
] };
static CreateManagedPrefixListResult: Structure = Structure { name: "CreateManagedPrefixListResult", members: &[
    optional("PrefixList", "PrefixList", "prefixList", &Shape::Struct(&ManagedPrefixList)),
] };
static CreatePeeringConnectionOptionsRequest: Structure = Structure { name: "CreatePeeringConnectionOptionsRequest", members: &[
    optional("AllowMultipathResilience", "AllowMultipathResilience", "AllowMultipathResilience", &BOOL),
    optional("MultipathResilienceMode", "MultipathResilienceMode", "MultipathResilienceMode", &MultipathResilienceMode),
] };
static CreateRouteRequest: Structure = Structure { name: "CreateRouteRequest", members: &[
    optional("DestinationPrefixListId", "DestinationPrefixListId", "DestinationPrefixListId", &TEXT),
    optional("VpcEndpointId", "VpcEndpointId", "VpcEndpointId", &TEXT),
    optional("TransitGatewayId", "TransitGatewayId", "TransitGatewayId", &TEXT),
    optional("LocalGatewayId", "LocalGatewayId", "LocalGatewayId", &TEXT),
    optional("CarrierGatewayId", "CarrierGatewayId", "CarrierGatewayId", &TEXT),
    optional("CoreNetworkArn", "CoreNetworkArn", "CoreNetworkArn", &TEXT),
    optional("OdbNetworkArn", "OdbNetworkArn", "OdbNetworkArn", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
    optional("DestinationCidrBlock", "DestinationCidrBlock", "destinationCidrBlock", &TEXT),
    optional("GatewayId", "GatewayId", "gatewayId", &TEXT),
    optional("DestinationIpv6CidrBlock", "DestinationIpv6CidrBlock", "destinationIpv6CidrBlock", &TEXT),
    optional("EgressOnlyInternetGatewayId", "EgressOnlyInternetGatewayId", "egressOnlyInternetGatewayId", &TEXT),
    optional("InstanceId", "InstanceId", "instanceId", &TEXT),
    optional("NetworkInterfaceId", "NetworkInterfaceId", "networkInterfaceId", &TEXT),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
    optional("NatGatewayId", "NatGatewayId", "natGatewayId", &TEXT),
] };
static CreateRouteResult: Structure = Structure { name: "CreateRouteResult", members: &[
    optional("Return", "Return", "return", &BOOL),
] };
static CreateRouteTableRequest: Structure = Structure { name: "CreateRouteTableRequest", members: &[
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("ClientToken", "ClientToken", "ClientToken", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("VpcId", "VpcId", "vpcId", &TEXT),
] };
static CreateRouteTableResult: Structure = Structure { name: "CreateRouteTableResult", members: &[
    optional("RouteTable", "RouteTable", "routeTable", &Shape::Struct(&RouteTable)),
    optional("ClientToken", "ClientToken", "clientToken", &TEXT),
] };
static CreateSecurityGroupRequest: Structure = Structure { name: "CreateSecurityGroupRequest", members: &[
    required("Description", "GroupDescription", "GroupDescription", &TEXT),
    required("GroupName", "GroupName", "GroupName", &TEXT),
    optional("VpcId", "VpcId", "VpcId", &TEXT),
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static CreateSecurityGroupResult: Structure = Structure { name: "CreateSecurityGroupResult", members: &[
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("SecurityGroupArn", "SecurityGroupArn", "securityGroupArn", &TEXT),
] };
static CreateSubnetRequest: Structure = Structure { name: "CreateSubnetRequest", members: &[
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("AvailabilityZone", "AvailabilityZone", "AvailabilityZone", &TEXT),
    optional("AvailabilityZoneId", "AvailabilityZoneId", "AvailabilityZoneId", &TEXT),
    optional("CidrBlock", "CidrBlock", "CidrBlock", &TEXT),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "Ipv6CidrBlock", &TEXT),
    optional("OutpostArn", "OutpostArn", "OutpostArn", &TEXT),
    required("VpcId", "VpcId", "VpcId", &TEXT),
    optional("Ipv6Native", "Ipv6Native", "Ipv6Native", &BOOL),
    optional("Ipv4IpamPoolId", "Ipv4IpamPoolId", "Ipv4IpamPoolId", &TEXT),
    optional("Ipv4NetmaskLength", "Ipv4NetmaskLength", "Ipv4NetmaskLength", &INT),
    optional("Ipv6IpamPoolId", "Ipv6IpamPoolId", "Ipv6IpamPoolId", &TEXT),
    optional("Ipv6NetmaskLength", "Ipv6NetmaskLength", "Ipv6NetmaskLength", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static CreateSubnetResult: Structure = Structure { name: "CreateSubnetResult", members: &[
    optional("Subnet", "Subnet", "subnet", &Shape::Struct(&Subnet)),
] };
static CreateTagsRequest: Structure = Structure { name: "CreateTagsRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("Resources", "ResourceId", "ResourceId", &ResourceIdList),
    required("Tags", "Tag", "Tag", &TagList),
] };
static CreateVpcPeeringConnectionRequest: Structure = Structure { name: "CreateVpcPeeringConnectionRequest", members: &[
    optional("PeerRegion", "PeerRegion", "PeerRegion", &TEXT),
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("RequesterPeeringConnectionOptions", "RequesterPeeringConnectionOptions", "RequesterPeeringConnectionOptions", &Shape::Struct(&CreatePeeringConnectionOptionsRequest)),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("VpcId", "VpcId", "vpcId", &TEXT),
    optional("PeerVpcId", "PeerVpcId", "peerVpcId", &TEXT),
    optional("PeerOwnerId", "PeerOwnerId", "peerOwnerId", &TEXT),
] };
static CreateVpcPeeringConnectionResult: Structure = Structure { name: "CreateVpcPeeringConnectionResult", members: &[
    optional("VpcPeeringConnection", "VpcPeeringConnection", "vpcPeeringConnection", &Shape::Struct(&VpcPeeringConnection)),
] };
static CreateVpcRequest: Structure = Structure { name: "CreateVpcRequest", members: &[
    optional("CidrBlock", "CidrBlock", "CidrBlock", &TEXT),
    optional("Ipv6Pool", "Ipv6Pool", "Ipv6Pool", &TEXT),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "Ipv6CidrBlock", &TEXT),
    optional("Ipv4IpamPoolId", "Ipv4IpamPoolId", "Ipv4IpamPoolId", &TEXT),
    optional("Ipv4NetmaskLength", "Ipv4NetmaskLength", "Ipv4NetmaskLength", &INT),
    optional("Ipv6IpamPoolId", "Ipv6IpamPoolId", "Ipv6IpamPoolId", &TEXT),
    optional("Ipv6NetmaskLength", "Ipv6NetmaskLength", "Ipv6NetmaskLength", &INT),
    optional("Ipv6CidrBlockNetworkBorderGroup", "Ipv6CidrBlockNetworkBorderGroup", "Ipv6CidrBlockNetworkBorderGroup", &TEXT),
    optional("VpcEncryptionControl", "VpcEncryptionControl", "VpcEncryptionControl", &Shape::Struct(&VpcEncryptionControlConfiguration)),
    optional("TagSpecifications", "TagSpecification", "TagSpecification", &TagSpecificationList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("InstanceTenancy", "InstanceTenancy", "instanceTenancy", &Tenancy),
    optional("AmazonProvidedIpv6CidrBlock", "AmazonProvidedIpv6CidrBlock", "amazonProvidedIpv6CidrBlock", &BOOL),
] };
static CreateVpcResult: Structure = Structure { name: "CreateVpcResult", members: &[
    optional("Vpc", "Vpc", "vpc", &Shape::Struct(&Vpc)),
] };
static DeleteInternetGatewayRequest: Structure = Structure { name: "DeleteInternetGatewayRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("InternetGatewayId", "InternetGatewayId", "internetGatewayId", &TEXT),
] };
static DeleteManagedPrefixListRequest: Structure = Structure { name: "DeleteManagedPrefixListRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    required("PrefixListId", "PrefixListId", "PrefixListId", &TEXT),
] };
static DeleteManagedPrefixListResult: Structure = Structure { name: "DeleteManagedPrefixListResult", members: &[
    optional("PrefixList", "PrefixList", "prefixList", &Shape::Struct(&ManagedPrefixList)),
] };
static DeleteRouteRequest: Structure = Structure { name: "DeleteRouteRequest", members: &[
    optional("DestinationPrefixListId", "DestinationPrefixListId", "DestinationPrefixListId", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
    optional("DestinationCidrBlock", "DestinationCidrBlock", "destinationCidrBlock", &TEXT),
    optional("DestinationIpv6CidrBlock", "DestinationIpv6CidrBlock", "destinationIpv6CidrBlock", &TEXT),
] };
static DeleteRouteTableRequest: Structure = Structure { name: "DeleteRouteTableRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
] };
static DeleteSecurityGroupRequest: Structure = Structure { name: "DeleteSecurityGroupRequest", members: &[
    optional("GroupId", "GroupId", "GroupId", &TEXT),
    optional("GroupName", "GroupName", "GroupName", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static DeleteSecurityGroupResult: Structure = Structure { name: "DeleteSecurityGroupResult", members: &[
    optional("Return", "Return", "return", &BOOL),
    optional("GroupId", "GroupId", "groupId", &TEXT),
] };
static DeleteSubnetRequest: Structure = Structure { name: "DeleteSubnetRequest", members: &[
    required("SubnetId", "SubnetId", "SubnetId", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static DeleteTagsRequest: Structure = Structure { name: "DeleteTagsRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("Resources", "ResourceId", "resourceId", &ResourceIdList),
    optional("Tags", "Tag", "tag", &TagList),
] };
static DeleteVpcPeeringConnectionRequest: Structure = Structure { name: "DeleteVpcPeeringConnectionRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
] };
static DeleteVpcPeeringConnectionResult: Structure = Structure { name: "DeleteVpcPeeringConnectionResult", members: &[
    optional("Return", "Return", "return", &BOOL),
] };
static DeleteVpcRequest: Structure = Structure { name: "DeleteVpcRequest", members: &[
    required("VpcId", "VpcId", "VpcId", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static DescribeAccountAttributesRequest: Structure = Structure { name: "DescribeAccountAttributesRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("AttributeNames", "AttributeName", "attributeName", &AccountAttributeNameStringList),
] };
static DescribeAccountAttributesResult: Structure = Structure { name: "DescribeAccountAttributesResult", members: &[
    optional("AccountAttributes", "AccountAttributeSet", "accountAttributeSet", &AccountAttributeList),
] };
static DescribeAvailabilityZonesRequest: Structure = Structure { name: "DescribeAvailabilityZonesRequest", members: &[
    optional("ZoneNames", "ZoneName", "ZoneName", &ZoneNameStringList),
    optional("ZoneIds", "ZoneId", "ZoneId", &ZoneIdStringList),
    optional("AllAvailabilityZones", "AllAvailabilityZones", "AllAvailabilityZones", &BOOL),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeAvailabilityZonesResult: Structure = Structure { name: "DescribeAvailabilityZonesResult", members: &[
    optional("AvailabilityZones", "AvailabilityZoneInfo", "availabilityZoneInfo", &AvailabilityZoneList),
] };
static DescribeInternetGatewaysRequest: Structure = Structure { name: "DescribeInternetGatewaysRequest", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("InternetGatewayIds", "InternetGatewayId", "internetGatewayId", &InternetGatewayIdList),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeInternetGatewaysResult: Structure = Structure { name: "DescribeInternetGatewaysResult", members: &[
    optional("InternetGateways", "InternetGatewaySet", "internetGatewaySet", &InternetGatewayList),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribeManagedPrefixListsRequest: Structure = Structure { name: "DescribeManagedPrefixListsRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("Filters", "Filter", "Filter", &FilterList),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("PrefixListIds", "PrefixListId", "PrefixListId", &ValueStringList),
] };
static DescribeManagedPrefixListsResult: Structure = Structure { name: "DescribeManagedPrefixListsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("PrefixLists", "PrefixListSet", "prefixListSet", &ManagedPrefixListSet),
] };
static DescribeNetworkAclsRequest: Structure = Structure { name: "DescribeNetworkAclsRequest", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("NetworkAclIds", "NetworkAclId", "NetworkAclId", &NetworkAclIdStringList),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeNetworkAclsResult: Structure = Structure { name: "DescribeNetworkAclsResult", members: &[
    optional("NetworkAcls", "NetworkAclSet", "networkAclSet", &NetworkAclList),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribeNetworkInterfacesRequest: Structure = Structure { name: "DescribeNetworkInterfacesRequest", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("IncludeManagedResources", "IncludeManagedResources", "IncludeManagedResources", &BOOL),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("NetworkInterfaceIds", "NetworkInterfaceId", "NetworkInterfaceId", &NetworkInterfaceIdList),
    optional("Filters", "Filter", "filter", &FilterList),
] };
static DescribeNetworkInterfacesResult: Structure = Structure { name: "DescribeNetworkInterfacesResult", members: &[
    optional("NetworkInterfaces", "NetworkInterfaceSet", "networkInterfaceSet", &NetworkInterfaceList),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribePrefixListsRequest: Structure = Structure { name: "DescribePrefixListsRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("Filters", "Filter", "Filter", &FilterList),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("PrefixListIds", "PrefixListId", "PrefixListId", &PrefixListResourceIdStringList),
] };
static DescribePrefixListsResult: Structure = Structure { name: "DescribePrefixListsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("PrefixLists", "PrefixListSet", "prefixListSet", &PrefixListSet),
] };
static DescribeRegionsRequest: Structure = Structure { name: "DescribeRegionsRequest", members: &[
    optional("RegionNames", "RegionName", "RegionName", &RegionNameStringList),
    optional("AllRegions", "AllRegions", "AllRegions", &BOOL),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeRegionsResult: Structure = Structure { name: "DescribeRegionsResult", members: &[
    optional("Regions", "RegionInfo", "regionInfo", &RegionList),
] };
static DescribeRouteTablesRequest: Structure = Structure { name: "DescribeRouteTablesRequest", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("RouteTableIds", "RouteTableId", "RouteTableId", &RouteTableIdStringList),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeRouteTablesResult: Structure = Structure { name: "DescribeRouteTablesResult", members: &[
    optional("RouteTables", "RouteTableSet", "routeTableSet", &RouteTableList),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribeSecurityGroupReferencesRequest: Structure = Structure { name: "DescribeSecurityGroupReferencesRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    required("GroupId", "GroupId", "GroupId", &GroupIds),
] };
static DescribeSecurityGroupReferencesResult: Structure = Structure { name: "DescribeSecurityGroupReferencesResult", members: &[
    optional("SecurityGroupReferenceSet", "SecurityGroupReferenceSet", "securityGroupReferenceSet", &SecurityGroupReferences),
] };
static DescribeSecurityGroupRulesRequest: Structure = Structure { name: "DescribeSecurityGroupRulesRequest", members: &[
    optional("Filters", "Filter", "Filter", &FilterList),
    optional("SecurityGroupRuleIds", "SecurityGroupRuleId", "SecurityGroupRuleId", &SecurityGroupRuleIdList),
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
] };
static DescribeSecurityGroupRulesResult: Structure = Structure { name: "DescribeSecurityGroupRulesResult", members: &[
    optional("SecurityGroupRules", "SecurityGroupRuleSet", "securityGroupRuleSet", &SecurityGroupRuleList),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribeSecurityGroupsRequest: Structure = Structure { name: "DescribeSecurityGroupsRequest", members: &[
    optional("GroupIds", "GroupId", "GroupId", &GroupIdStringList),
    optional("GroupNames", "GroupName", "GroupName", &GroupNameStringList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeSecurityGroupsResult: Structure = Structure { name: "DescribeSecurityGroupsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("SecurityGroups", "SecurityGroupInfo", "securityGroupInfo", &SecurityGroupList),
] };
static DescribeStaleSecurityGroupsRequest: Structure = Structure { name: "DescribeStaleSecurityGroupsRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    required("VpcId", "VpcId", "VpcId", &TEXT),
] };
static DescribeStaleSecurityGroupsResult: Structure = Structure { name: "DescribeStaleSecurityGroupsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("StaleSecurityGroupSet", "StaleSecurityGroupSet", "staleSecurityGroupSet", &StaleSecurityGroupSet),
] };
static DescribeSubnetsRequest: Structure = Structure { name: "DescribeSubnetsRequest", members: &[
    optional("Filters", "Filter", "Filter", &FilterList),
    optional("SubnetIds", "SubnetId", "SubnetId", &SubnetIdStringList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static DescribeSubnetsResult: Structure = Structure { name: "DescribeSubnetsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("Subnets", "SubnetSet", "subnetSet", &SubnetList),
] };
static DescribeTagsRequest: Structure = Structure { name: "DescribeTagsRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("Filters", "Filter", "Filter", &FilterList),
    optional("MaxResults", "MaxResults", "maxResults", &INT),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribeTagsResult: Structure = Structure { name: "DescribeTagsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("Tags", "TagSet", "tagSet", &TagDescriptionList),
] };
static DescribeVpcAttributeRequest: Structure = Structure { name: "DescribeVpcAttributeRequest", members: &[
    required("Attribute", "Attribute", "Attribute", &VpcAttributeName),
    required("VpcId", "VpcId", "VpcId", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static DescribeVpcAttributeResult: Structure = Structure { name: "DescribeVpcAttributeResult", members: &[
    optional("EnableDnsHostnames", "EnableDnsHostnames", "enableDnsHostnames", &Shape::Struct(&AttributeBooleanValue)),
    optional("EnableDnsSupport", "EnableDnsSupport", "enableDnsSupport", &Shape::Struct(&AttributeBooleanValue)),
    optional("EnableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics", "enableNetworkAddressUsageMetrics", &Shape::Struct(&AttributeBooleanValue)),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
] };
static DescribeVpcPeeringConnectionsRequest: Structure = Structure { name: "DescribeVpcPeeringConnectionsRequest", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    optional("VpcPeeringConnectionIds", "VpcPeeringConnectionId", "VpcPeeringConnectionId", &VpcPeeringConnectionIdList),
    optional("Filters", "Filter", "Filter", &FilterList),
] };
static DescribeVpcPeeringConnectionsResult: Structure = Structure { name: "DescribeVpcPeeringConnectionsResult", members: &[
    optional("VpcPeeringConnections", "VpcPeeringConnectionSet", "vpcPeeringConnectionSet", &VpcPeeringConnectionList),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static DescribeVpcsRequest: Structure = Structure { name: "DescribeVpcsRequest", members: &[
    optional("Filters", "Filter", "Filter", &FilterList),
    optional("VpcIds", "VpcId", "VpcId", &VpcIdStringList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static DescribeVpcsResult: Structure = Structure { name: "DescribeVpcsResult", members: &[
    optional("NextToken", "NextToken", "nextToken", &TEXT),
    optional("Vpcs", "VpcSet", "vpcSet", &VpcList),
] };
static DetachInternetGatewayRequest: Structure = Structure { name: "DetachInternetGatewayRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("InternetGatewayId", "InternetGatewayId", "internetGatewayId", &TEXT),
    required("VpcId", "VpcId", "vpcId", &TEXT),
] };
static DisableVgwRoutePropagationRequest: Structure = Structure { name: "DisableVgwRoutePropagationRequest", members: &[
    required("GatewayId", "GatewayId", "GatewayId", &TEXT),
    required("RouteTableId", "RouteTableId", "RouteTableId", &TEXT),
    optional("DryRun", "DryRun", "DryRun", &BOOL),
] };
static DisassociateRouteTableRequest: Structure = Structure { name: "DisassociateRouteTableRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("AssociationId", "AssociationId", "associationId", &TEXT),
] };
static DisassociateSubnetCidrBlockRequest: Structure = Structure { name: "DisassociateSubnetCidrBlockRequest", members: &[
    required("AssociationId", "AssociationId", "associationId", &TEXT),
] };
static DisassociateSubnetCidrBlockResult: Structure = Structure { name: "DisassociateSubnetCidrBlockResult", members: &[
    optional("Ipv6CidrBlockAssociation", "Ipv6CidrBlockAssociation", "ipv6CidrBlockAssociation", &Shape::Struct(&SubnetIpv6CidrBlockAssociation)),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
] };
static DisassociateVpcCidrBlockRequest: Structure = Structure { name: "DisassociateVpcCidrBlockRequest", members: &[
    required("AssociationId", "AssociationId", "associationId", &TEXT),
] };
static DisassociateVpcCidrBlockResult: Structure = Structure { name: "DisassociateVpcCidrBlockResult", members: &[
    optional("Ipv6CidrBlockAssociation", "Ipv6CidrBlockAssociation", "ipv6CidrBlockAssociation", &Shape::Struct(&VpcIpv6CidrBlockAssociation)),
    optional("CidrBlockAssociation", "CidrBlockAssociation", "cidrBlockAssociation", &Shape::Struct(&VpcCidrBlockAssociation)),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
] };
static EnableVgwRoutePropagationRequest: Structure = Structure { name: "EnableVgwRoutePropagationRequest", members: &[
    required("GatewayId", "GatewayId", "GatewayId", &TEXT),
    required("RouteTableId", "RouteTableId", "RouteTableId", &TEXT),
    optional("DryRun", "DryRun", "DryRun", &BOOL),
] };
static Filter: Structure = Structure { name: "Filter", members: &[
    optional("Name", "Name", "Name", &TEXT),
    optional("Values", "Value", "Value", &ValueStringList),
] };
static FilterList: Shape = Shape::List(&List { item_name: Some("Filter"), item: &Shape::Struct(&Filter) });
static GetManagedPrefixListAssociationsRequest: Structure = Structure { name: "GetManagedPrefixListAssociationsRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    required("PrefixListId", "PrefixListId", "PrefixListId", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static GetManagedPrefixListAssociationsResult: Structure = Structure { name: "GetManagedPrefixListAssociationsResult", members: &[
    optional("PrefixListAssociations", "PrefixListAssociationSet", "prefixListAssociationSet", &PrefixListAssociationSet),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static GetManagedPrefixListEntriesRequest: Structure = Structure { name: "GetManagedPrefixListEntriesRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    required("PrefixListId", "PrefixListId", "PrefixListId", &TEXT),
    optional("TargetVersion", "TargetVersion", "TargetVersion", &LONG),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static GetManagedPrefixListEntriesResult: Structure = Structure { name: "GetManagedPrefixListEntriesResult", members: &[
    optional("Entries", "EntrySet", "entrySet", &PrefixListEntrySet),
    optional("NextToken", "NextToken", "nextToken", &TEXT),
] };
static GroupIdStringList: Shape = Shape::List(&List { item_name: Some("groupId"), item: &TEXT });
static GroupIdentifier: Structure = Structure { name: "GroupIdentifier", members: &[
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("GroupName", "GroupName", "groupName", &TEXT),
] };
static GroupIdentifierList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&GroupIdentifier) });
static GroupIds: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static GroupNameStringList: Shape = Shape::List(&List { item_name: Some("GroupName"), item: &TEXT });
static HostnameType: Shape = Shape::Text(&["ip-name", "resource-name"]);
static IcmpTypeCode: Structure = Structure { name: "IcmpTypeCode", members: &[
    optional("Code", "Code", "code", &INT),
    optional("Type", "Type", "type", &INT),
] };
static InternetGateway: Structure = Structure { name: "InternetGateway", members: &[
    optional("Attachments", "AttachmentSet", "attachmentSet", &InternetGatewayAttachmentList),
    optional("InternetGatewayId", "InternetGatewayId", "internetGatewayId", &TEXT),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("Tags", "TagSet", "tagSet", &TagList),
] };
static InternetGatewayAttachment: Structure = Structure { name: "InternetGatewayAttachment", members: &[
    optional("State", "State", "state", &AttachmentStatus),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
] };
static InternetGatewayAttachmentList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&InternetGatewayAttachment) });
static InternetGatewayIdList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static InternetGatewayList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&InternetGateway) });
static IpPermission: Structure = Structure { name: "IpPermission", members: &[
    optional("IpProtocol", "IpProtocol", "ipProtocol", &TEXT),
    optional("FromPort", "FromPort", "fromPort", &INT),
    optional("ToPort", "ToPort", "toPort", &INT),
    optional("UserIdGroupPairs", "Groups", "groups", &UserIdGroupPairList),
    optional("IpRanges", "IpRanges", "ipRanges", &IpRangeList),
    optional("Ipv6Ranges", "Ipv6Ranges", "ipv6Ranges", &Ipv6RangeList),
    optional("PrefixListIds", "PrefixListIds", "prefixListIds", &PrefixListIdList),
] };
static IpPermissionList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&IpPermission) });
static IpRange: Structure = Structure { name: "IpRange", members: &[
    optional("Description", "Description", "description", &TEXT),
    optional("CidrIp", "CidrIp", "cidrIp", &TEXT),
] };
static IpRangeList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&IpRange) });
static IpRanges: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static IpSource: Shape = Shape::Text(&["amazon", "byoip", "none"]);
static Ipv4PrefixSpecification: Structure = Structure { name: "Ipv4PrefixSpecification", members: &[
    optional("Ipv4Prefix", "Ipv4Prefix", "ipv4Prefix", &TEXT),
] };
static Ipv4PrefixesList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Ipv4PrefixSpecification) });
static Ipv6AddressAttribute: Shape = Shape::Text(&["private", "public"]);
static Ipv6CidrBlock: Structure = Structure { name: "Ipv6CidrBlock", members: &[
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "ipv6CidrBlock", &TEXT),
] };
static Ipv6CidrBlockSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Ipv6CidrBlock) });
static Ipv6PrefixSpecification: Structure = Structure { name: "Ipv6PrefixSpecification", members: &[
    optional("Ipv6Prefix", "Ipv6Prefix", "ipv6Prefix", &TEXT),
] };
static Ipv6PrefixesList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Ipv6PrefixSpecification) });
static Ipv6Range: Structure = Structure { name: "Ipv6Range", members: &[
    optional("Description", "Description", "description", &TEXT),
    optional("CidrIpv6", "CidrIpv6", "cidrIpv6", &TEXT),
] };
static Ipv6RangeList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Ipv6Range) });
static ManagedPrefixList: Structure = Structure { name: "ManagedPrefixList", members: &[
    optional("PrefixListId", "PrefixListId", "prefixListId", &TEXT),
    optional("AddressFamily", "AddressFamily", "addressFamily", &TEXT),
    optional("State", "State", "state", &PrefixListState),
    optional("StateMessage", "StateMessage", "stateMessage", &TEXT),
    optional("PrefixListArn", "PrefixListArn", "prefixListArn", &TEXT),
    optional("PrefixListName", "PrefixListName", "prefixListName", &TEXT),
    optional("MaxEntries", "MaxEntries", "maxEntries", &INT),
    optional("Version", "Version", "version", &LONG),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("IpamPrefixListResolverTargetId", "IpamPrefixListResolverTargetId", "ipamPrefixListResolverTargetId", &TEXT),
    optional("IpamPrefixListResolverSyncEnabled", "IpamPrefixListResolverSyncEnabled", "ipamPrefixListResolverSyncEnabled", &BOOL),
] };
static ManagedPrefixListSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&ManagedPrefixList) });
static ModifyManagedPrefixListRequest: Structure = Structure { name: "ModifyManagedPrefixListRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    required("PrefixListId", "PrefixListId", "PrefixListId", &TEXT),
    optional("CurrentVersion", "CurrentVersion", "CurrentVersion", &LONG),
    optional("PrefixListName", "PrefixListName", "PrefixListName", &TEXT),
    optional("AddEntries", "AddEntry", "AddEntry", &AddPrefixListEntries),
    optional("RemoveEntries", "RemoveEntry", "RemoveEntry", &RemovePrefixListEntries),
    optional("MaxEntries", "MaxEntries", "MaxEntries", &INT),
    optional("IpamPrefixListResolverSyncEnabled", "IpamPrefixListResolverSyncEnabled", "IpamPrefixListResolverSyncEnabled", &BOOL),
] };
static ModifyManagedPrefixListResult: Structure = Structure { name: "ModifyManagedPrefixListResult", members: &[
    optional("PrefixList", "PrefixList", "prefixList", &Shape::Struct(&ManagedPrefixList)),
] };
static ModifySecurityGroupRulesRequest: Structure = Structure { name: "ModifySecurityGroupRulesRequest", members: &[
    required("GroupId", "GroupId", "GroupId", &TEXT),
    required("SecurityGroupRules", "SecurityGroupRule", "SecurityGroupRule", &SecurityGroupRuleUpdateList),
    optional("DryRun", "DryRun", "DryRun", &BOOL),
] };
static ModifySecurityGroupRulesResult: Structure = Structure { name: "ModifySecurityGroupRulesResult", members: &[
    optional("Return", "Return", "return", &BOOL),
] };
static ModifySubnetAttributeRequest: Structure = Structure { name: "ModifySubnetAttributeRequest", members: &[
    optional("AssignIpv6AddressOnCreation", "AssignIpv6AddressOnCreation", "AssignIpv6AddressOnCreation", &Shape::Struct(&AttributeBooleanValue)),
    optional("MapPublicIpOnLaunch", "MapPublicIpOnLaunch", "MapPublicIpOnLaunch", &Shape::Struct(&AttributeBooleanValue)),
    required("SubnetId", "SubnetId", "subnetId", &TEXT),
    optional("MapCustomerOwnedIpOnLaunch", "MapCustomerOwnedIpOnLaunch", "MapCustomerOwnedIpOnLaunch", &Shape::Struct(&AttributeBooleanValue)),
    optional("CustomerOwnedIpv4Pool", "CustomerOwnedIpv4Pool", "CustomerOwnedIpv4Pool", &TEXT),
    optional("EnableDns64", "EnableDns64", "EnableDns64", &Shape::Struct(&AttributeBooleanValue)),
    optional("PrivateDnsHostnameTypeOnLaunch", "PrivateDnsHostnameTypeOnLaunch", "PrivateDnsHostnameTypeOnLaunch", &HostnameType),
    optional("EnableResourceNameDnsARecordOnLaunch", "EnableResourceNameDnsARecordOnLaunch", "EnableResourceNameDnsARecordOnLaunch", &Shape::Struct(&AttributeBooleanValue)),
    optional("EnableResourceNameDnsAAAARecordOnLaunch", "EnableResourceNameDnsAAAARecordOnLaunch", "EnableResourceNameDnsAAAARecordOnLaunch", &Shape::Struct(&AttributeBooleanValue)),
    optional("EnableLniAtDeviceIndex", "EnableLniAtDeviceIndex", "EnableLniAtDeviceIndex", &INT),
    optional("DisableLniAtDeviceIndex", "DisableLniAtDeviceIndex", "DisableLniAtDeviceIndex", &Shape::Struct(&AttributeBooleanValue)),
] };
static ModifyVpcAttributeRequest: Structure = Structure { name: "ModifyVpcAttributeRequest", members: &[
    optional("EnableDnsHostnames", "EnableDnsHostnames", "EnableDnsHostnames", &Shape::Struct(&AttributeBooleanValue)),
    optional("EnableDnsSupport", "EnableDnsSupport", "EnableDnsSupport", &Shape::Struct(&AttributeBooleanValue)),
    required("VpcId", "VpcId", "vpcId", &TEXT),
    optional("EnableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics", &Shape::Struct(&AttributeBooleanValue)),
] };
static ModifyVpcPeeringConnectionOptionsRequest: Structure = Structure { name: "ModifyVpcPeeringConnectionOptionsRequest", members: &[
    optional("AccepterPeeringConnectionOptions", "AccepterPeeringConnectionOptions", "AccepterPeeringConnectionOptions", &Shape::Struct(&PeeringConnectionOptionsRequest)),
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("RequesterPeeringConnectionOptions", "RequesterPeeringConnectionOptions", "RequesterPeeringConnectionOptions", &Shape::Struct(&PeeringConnectionOptionsRequest)),
    required("VpcPeeringConnectionId", "VpcPeeringConnectionId", "VpcPeeringConnectionId", &TEXT),
] };
static ModifyVpcPeeringConnectionOptionsResult: Structure = Structure { name: "ModifyVpcPeeringConnectionOptionsResult", members: &[
    optional("AccepterPeeringConnectionOptions", "AccepterPeeringConnectionOptions", "accepterPeeringConnectionOptions", &Shape::Struct(&PeeringConnectionOptions)),
    optional("RequesterPeeringConnectionOptions", "RequesterPeeringConnectionOptions", "requesterPeeringConnectionOptions", &Shape::Struct(&PeeringConnectionOptions)),
] };
static MultipathResilienceMode: Shape = Shape::Text(&["always-on"]);
static MultipathResilienceStatus: Shape = Shape::Text(&["disabled", "enabled", "pending"]);
static NetworkAcl: Structure = Structure { name: "NetworkAcl", members: &[
    optional("Associations", "AssociationSet", "associationSet", &NetworkAclAssociationList),
    optional("Entries", "EntrySet", "entrySet", &NetworkAclEntryList),
    optional("IsDefault", "Default", "default", &BOOL),
    optional("NetworkAclId", "NetworkAclId", "networkAclId", &TEXT),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
] };
static NetworkAclAssociation: Structure = Structure { name: "NetworkAclAssociation", members: &[
    optional("NetworkAclAssociationId", "NetworkAclAssociationId", "networkAclAssociationId", &TEXT),
    optional("NetworkAclId", "NetworkAclId", "networkAclId", &TEXT),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
] };
static NetworkAclAssociationList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&NetworkAclAssociation) });
static NetworkAclEntry: Structure = Structure { name: "NetworkAclEntry", members: &[
    optional("CidrBlock", "CidrBlock", "cidrBlock", &TEXT),
    optional("Egress", "Egress", "egress", &BOOL),
    optional("IcmpTypeCode", "IcmpTypeCode", "icmpTypeCode", &Shape::Struct(&IcmpTypeCode)),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "ipv6CidrBlock", &TEXT),
    optional("PortRange", "PortRange", "portRange", &Shape::Struct(&PortRange)),
    optional("Protocol", "Protocol", "protocol", &TEXT),
    optional("RuleAction", "RuleAction", "ruleAction", &RuleAction),
    optional("RuleNumber", "RuleNumber", "ruleNumber", &INT),
] };
static NetworkAclEntryList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&NetworkAclEntry) });
static NetworkAclIdStringList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static NetworkAclList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&NetworkAcl) });
static NetworkInterface: Structure = Structure { name: "NetworkInterface", members: &[
    optional("Association", "Association", "association", &Shape::Struct(&NetworkInterfaceAssociation)),
    optional("Attachment", "Attachment", "attachment", &Shape::Struct(&NetworkInterfaceAttachment)),
    optional("AvailabilityZone", "AvailabilityZone", "availabilityZone", &TEXT),
    optional("ConnectionTrackingConfiguration", "ConnectionTrackingConfiguration", "connectionTrackingConfiguration", &Shape::Struct(&ConnectionTrackingConfiguration)),
    optional("Description", "Description", "description", &TEXT),
    optional("Groups", "GroupSet", "groupSet", &GroupIdentifierList),
    optional("InterfaceType", "InterfaceType", "interfaceType", &NetworkInterfaceType),
    optional("Ipv6Addresses", "Ipv6AddressesSet", "ipv6AddressesSet", &NetworkInterfaceIpv6AddressesList),
    optional("MacAddress", "MacAddress", "macAddress", &TEXT),
    optional("NetworkInterfaceId", "NetworkInterfaceId", "networkInterfaceId", &TEXT),
    optional("OutpostArn", "OutpostArn", "outpostArn", &TEXT),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("PrivateDnsName", "PrivateDnsName", "privateDnsName", &TEXT),
    optional("PublicDnsName", "PublicDnsName", "publicDnsName", &TEXT),
    optional("PublicIpDnsNameOptions", "PublicIpDnsNameOptions", "publicIpDnsNameOptions", &Shape::Struct(&PublicIpDnsNameOptions)),
    optional("PrivateIpAddress", "PrivateIpAddress", "privateIpAddress", &TEXT),
    optional("PrivateIpAddresses", "PrivateIpAddressesSet", "privateIpAddressesSet", &NetworkInterfacePrivateIpAddressList),
    optional("Ipv4Prefixes", "Ipv4PrefixSet", "ipv4PrefixSet", &Ipv4PrefixesList),
    optional("Ipv6Prefixes", "Ipv6PrefixSet", "ipv6PrefixSet", &Ipv6PrefixesList),
    optional("RequesterId", "RequesterId", "requesterId", &TEXT),
    optional("RequesterManaged", "RequesterManaged", "requesterManaged", &BOOL),
    optional("SourceDestCheck", "SourceDestCheck", "sourceDestCheck", &BOOL),
    optional("Status", "Status", "status", &NetworkInterfaceStatus),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
    optional("TagSet", "TagSet", "tagSet", &TagList),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("DenyAllIgwTraffic", "DenyAllIgwTraffic", "denyAllIgwTraffic", &BOOL),
    optional("Ipv6Native", "Ipv6Native", "ipv6Native", &BOOL),
    optional("Ipv6Address", "Ipv6Address", "ipv6Address", &TEXT),
    optional("Operator", "Operator", "operator", &Shape::Struct(&OperatorResponse)),
    optional("AssociatedSubnets", "AssociatedSubnetSet", "associatedSubnetSet", &AssociatedSubnetList),
    optional("AvailabilityZoneId", "AvailabilityZoneId", "availabilityZoneId", &TEXT),
] };
static NetworkInterfaceAssociation: Structure = Structure { name: "NetworkInterfaceAssociation", members: &[
    optional("AllocationId", "AllocationId", "allocationId", &TEXT),
    optional("AssociationId", "AssociationId", "associationId", &TEXT),
    optional("IpOwnerId", "IpOwnerId", "ipOwnerId", &TEXT),
    optional("PublicDnsName", "PublicDnsName", "publicDnsName", &TEXT),
    optional("PublicIp", "PublicIp", "publicIp", &TEXT),
    optional("CustomerOwnedIp", "CustomerOwnedIp", "customerOwnedIp", &TEXT),
    optional("CarrierIp", "CarrierIp", "carrierIp", &TEXT),
] };
static NetworkInterfaceAttachment: Structure = Structure { name: "NetworkInterfaceAttachment", members: &[
    optional("AttachTime", "AttachTime", "attachTime", &TIME),
    optional("AttachmentId", "AttachmentId", "attachmentId", &TEXT),
    optional("DeleteOnTermination", "DeleteOnTermination", "deleteOnTermination", &BOOL),
    optional("DeviceIndex", "DeviceIndex", "deviceIndex", &INT),
    optional("NetworkCardIndex", "NetworkCardIndex", "networkCardIndex", &INT),
    optional("InstanceId", "InstanceId", "instanceId", &TEXT),
    optional("InstanceOwnerId", "InstanceOwnerId", "instanceOwnerId", &TEXT),
    optional("Status", "Status", "status", &AttachmentStatus),
    optional("EnaSrdSpecification", "EnaSrdSpecification", "enaSrdSpecification", &Shape::Struct(&AttachmentEnaSrdSpecification)),
    optional("EnaQueueCount", "EnaQueueCount", "enaQueueCount", &INT),
] };
static NetworkInterfaceIdList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static NetworkInterfaceIpv6Address: Structure = Structure { name: "NetworkInterfaceIpv6Address", members: &[
    optional("Ipv6Address", "Ipv6Address", "ipv6Address", &TEXT),
    optional("PublicIpv6DnsName", "PublicIpv6DnsName", "publicIpv6DnsName", &TEXT),
    optional("IsPrimaryIpv6", "IsPrimaryIpv6", "isPrimaryIpv6", &BOOL),
] };
static NetworkInterfaceIpv6AddressesList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&NetworkInterfaceIpv6Address) });
static NetworkInterfaceList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&NetworkInterface) });
static NetworkInterfacePrivateIpAddress: Structure = Structure { name: "NetworkInterfacePrivateIpAddress", members: &[
    optional("Association", "Association", "association", &Shape::Struct(&NetworkInterfaceAssociation)),
    optional("Primary", "Primary", "primary", &BOOL),
    optional("PrivateDnsName", "PrivateDnsName", "privateDnsName", &TEXT),
    optional("PrivateIpAddress", "PrivateIpAddress", "privateIpAddress", &TEXT),
] };
static NetworkInterfacePrivateIpAddressList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&NetworkInterfacePrivateIpAddress) });
static NetworkInterfaceStatus: Shape = Shape::Text(&["associated", "attaching", "available", "detaching", "in-use"]);
static NetworkInterfaceType: Shape = Shape::Text(&[
    "api_gateway_managed", "aws_codestar_connections_managed", "branch", "efa", "efa-only",
    "gateway_load_balancer", "gateway_load_balancer_endpoint", "global_accelerator_managed", "interface",
    "iot_rules_managed", "lambda", "load_balancer", "natGateway", "network_load_balancer", "quicksight",
    "transit_gateway", "trunk", "vpc_endpoint",
]);
static OperatorResponse: Structure = Structure { name: "OperatorResponse", members: &[
    optional("Managed", "Managed", "managed", &BOOL),
    optional("Principal", "Principal", "principal", &TEXT),
    optional("HiddenByDefault", "HiddenByDefault", "hiddenByDefault", &BOOL),
] };
static PeeringConnectionOptions: Structure = Structure { name: "PeeringConnectionOptions", members: &[
    optional("AllowDnsResolutionFromRemoteVpc", "AllowDnsResolutionFromRemoteVpc", "allowDnsResolutionFromRemoteVpc", &BOOL),
    optional("AllowEgressFromLocalClassicLinkToRemoteVpc", "AllowEgressFromLocalClassicLinkToRemoteVpc", "allowEgressFromLocalClassicLinkToRemoteVpc", &BOOL),
    optional("AllowEgressFromLocalVpcToRemoteClassicLink", "AllowEgressFromLocalVpcToRemoteClassicLink", "allowEgressFromLocalVpcToRemoteClassicLink", &BOOL),
    optional("AllowMultipathResilience", "AllowMultipathResilience", "allowMultipathResilience", &BOOL),
    optional("MultipathResilienceMode", "MultipathResilienceMode", "multipathResilienceMode", &MultipathResilienceMode),
] };
static PeeringConnectionOptionsRequest: Structure = Structure { name: "PeeringConnectionOptionsRequest", members: &[
    optional("AllowDnsResolutionFromRemoteVpc", "AllowDnsResolutionFromRemoteVpc", "AllowDnsResolutionFromRemoteVpc", &BOOL),
    optional("AllowEgressFromLocalClassicLinkToRemoteVpc", "AllowEgressFromLocalClassicLinkToRemoteVpc", "AllowEgressFromLocalClassicLinkToRemoteVpc", &BOOL),
    optional("AllowEgressFromLocalVpcToRemoteClassicLink", "AllowEgressFromLocalVpcToRemoteClassicLink", "AllowEgressFromLocalVpcToRemoteClassicLink", &BOOL),
    optional("AllowMultipathResilience", "AllowMultipathResilience", "AllowMultipathResilience", &BOOL),
    optional("MultipathResilienceMode", "MultipathResilienceMode", "MultipathResilienceMode", &MultipathResilienceMode),
] };
static PortRange: Structure = Structure { name: "PortRange", members: &[
    optional("From", "From", "from", &INT),
    optional("To", "To", "to", &INT),
] };
static PrefixList: Structure = Structure { name: "PrefixList", members: &[
    optional("Cidrs", "CidrSet", "cidrSet", &ValueStringList),
    optional("PrefixListId", "PrefixListId", "prefixListId", &TEXT),
    optional("PrefixListName", "PrefixListName", "prefixListName", &TEXT),
] };
static PrefixListAssociation: Structure = Structure { name: "PrefixListAssociation", members: &[
    optional("ResourceId", "ResourceId", "resourceId", &TEXT),
    optional("ResourceOwner", "ResourceOwner", "resourceOwner", &TEXT),
] };
static PrefixListAssociationSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&PrefixListAssociation) });
static PrefixListEntry: Structure = Structure { name: "PrefixListEntry", members: &[
    optional("Cidr", "Cidr", "cidr", &TEXT),
    optional("Description", "Description", "description", &TEXT),
] };
static PrefixListEntrySet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&PrefixListEntry) });
static PrefixListId: Structure = Structure { name: "PrefixListId", members: &[
    optional("Description", "Description", "description", &TEXT),
    optional("PrefixListId", "PrefixListId", "prefixListId", &TEXT),
] };
static PrefixListIdList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&PrefixListId) });
static PrefixListIdSet: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static PrefixListResourceIdStringList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static PrefixListSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&PrefixList) });
static PrefixListState: Shape = Shape::Text(&[
    "create-complete", "create-failed", "create-in-progress", "delete-complete", "delete-failed",
    "delete-in-progress", "modify-complete", "modify-failed", "modify-in-progress", "restore-complete",
    "restore-failed", "restore-in-progress",
]);
static PrivateDnsNameOptionsOnLaunch: Structure = Structure { name: "PrivateDnsNameOptionsOnLaunch", members: &[
    optional("HostnameType", "HostnameType", "hostnameType", &HostnameType),
    optional("EnableResourceNameDnsARecord", "EnableResourceNameDnsARecord", "enableResourceNameDnsARecord", &BOOL),
    optional("EnableResourceNameDnsAAAARecord", "EnableResourceNameDnsAAAARecord", "enableResourceNameDnsAAAARecord", &BOOL),
] };
static PropagatingVgw: Structure = Structure { name: "PropagatingVgw", members: &[
    optional("GatewayId", "GatewayId", "gatewayId", &TEXT),
] };
static PropagatingVgwList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&PropagatingVgw) });
static PublicIpDnsNameOptions: Structure = Structure { name: "PublicIpDnsNameOptions", members: &[
    optional("DnsHostnameType", "DnsHostnameType", "dnsHostnameType", &TEXT),
    optional("PublicIpv4DnsName", "PublicIpv4DnsName", "publicIpv4DnsName", &TEXT),
    optional("PublicIpv6DnsName", "PublicIpv6DnsName", "publicIpv6DnsName", &TEXT),
    optional("PublicDualStackDnsName", "PublicDualStackDnsName", "publicDualStackDnsName", &TEXT),
] };
static ReferencedSecurityGroup: Structure = Structure { name: "ReferencedSecurityGroup", members: &[
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("PeeringStatus", "PeeringStatus", "peeringStatus", &TEXT),
    optional("UserId", "UserId", "userId", &TEXT),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
] };
static Region: Structure = Structure { name: "Region", members: &[
    optional("OptInStatus", "OptInStatus", "optInStatus", &TEXT),
    optional("Geography", "GeographySet", "geographySet", &RegionGeographyList),
    optional("RegionName", "RegionName", "regionName", &TEXT),
    optional("Endpoint", "RegionEndpoint", "regionEndpoint", &TEXT),
] };
static RegionGeography: Structure = Structure { name: "RegionGeography", members: &[
    optional("Name", "Name", "name", &TEXT),
] };
static RegionGeographyList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&RegionGeography) });
static RegionList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Region) });
static RegionNameStringList: Shape = Shape::List(&List { item_name: Some("RegionName"), item: &TEXT });
static RejectVpcPeeringConnectionRequest: Structure = Structure { name: "RejectVpcPeeringConnectionRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
] };
static RejectVpcPeeringConnectionResult: Structure = Structure { name: "RejectVpcPeeringConnectionResult", members: &[
    optional("Return", "Return", "return", &BOOL),
] };
static RemovePrefixListEntries: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&RemovePrefixListEntry) });
static RemovePrefixListEntry: Structure = Structure { name: "RemovePrefixListEntry", members: &[
    required("Cidr", "Cidr", "Cidr", &TEXT),
] };
static ReplaceRouteRequest: Structure = Structure { name: "ReplaceRouteRequest", members: &[
    optional("DestinationPrefixListId", "DestinationPrefixListId", "DestinationPrefixListId", &TEXT),
    optional("VpcEndpointId", "VpcEndpointId", "VpcEndpointId", &TEXT),
    optional("LocalTarget", "LocalTarget", "LocalTarget", &BOOL),
    optional("TransitGatewayId", "TransitGatewayId", "TransitGatewayId", &TEXT),
    optional("LocalGatewayId", "LocalGatewayId", "LocalGatewayId", &TEXT),
    optional("CarrierGatewayId", "CarrierGatewayId", "CarrierGatewayId", &TEXT),
    optional("CoreNetworkArn", "CoreNetworkArn", "CoreNetworkArn", &TEXT),
    optional("OdbNetworkArn", "OdbNetworkArn", "OdbNetworkArn", &TEXT),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
    optional("DestinationCidrBlock", "DestinationCidrBlock", "destinationCidrBlock", &TEXT),
    optional("GatewayId", "GatewayId", "gatewayId", &TEXT),
    optional("DestinationIpv6CidrBlock", "DestinationIpv6CidrBlock", "destinationIpv6CidrBlock", &TEXT),
    optional("EgressOnlyInternetGatewayId", "EgressOnlyInternetGatewayId", "egressOnlyInternetGatewayId", &TEXT),
    optional("InstanceId", "InstanceId", "instanceId", &TEXT),
    optional("NetworkInterfaceId", "NetworkInterfaceId", "networkInterfaceId", &TEXT),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
    optional("NatGatewayId", "NatGatewayId", "natGatewayId", &TEXT),
] };
static ReplaceRouteTableAssociationRequest: Structure = Structure { name: "ReplaceRouteTableAssociationRequest", members: &[
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("AssociationId", "AssociationId", "associationId", &TEXT),
    required("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
] };
static ReplaceRouteTableAssociationResult: Structure = Structure { name: "ReplaceRouteTableAssociationResult", members: &[
    optional("NewAssociationId", "NewAssociationId", "newAssociationId", &TEXT),
    optional("AssociationState", "AssociationState", "associationState", &Shape::Struct(&RouteTableAssociationState)),
] };
static ResourceIdList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static ResourceType: Shape = Shape::Text(&[
    "application-status-check", "capacity-block", "capacity-manager-data-export", "capacity-reservation",
    "capacity-reservation-cancellation-quote", "capacity-reservation-fleet",
    "capacity-reservation-modification-quote", "carrier-gateway", "client-vpn-endpoint", "coip-pool",
    "customer-gateway", "declarative-policies-report", "dedicated-host", "dhcp-options",
    "egress-only-internet-gateway", "elastic-gpu", "elastic-ip", "export-image-task",
    "export-instance-task", "fca-policy", "fleet", "fpga-image", "host-reservation", "image",
    "image-usage-report", "import-image-task", "import-snapshot-task", "instance",
    "instance-connect-endpoint", "instance-event-window", "internet-gateway", "ipam",
    "ipam-external-resource-verification-token", "ipam-internet-registry-association", "ipam-policy",
    "ipam-pool", "ipam-pool-allocation", "ipam-prefix-list-resolver", "ipam-prefix-list-resolver-target",
    "ipam-resource-discovery", "ipam-resource-discovery-association", "ipam-scope", "ipv4pool-ec2",
    "ipv6pool-ec2", "key-pair", "launch-template", "local-gateway", "local-gateway-route-table",
    "local-gateway-route-table-virtual-interface-group-association",
    "local-gateway-route-table-vpc-association", "local-gateway-virtual-interface",
    "local-gateway-virtual-interface-group", "mac-modification-task", "metric-category", "natgateway",
    "network-acl", "network-insights-access-scope", "network-insights-access-scope-analysis",
    "network-insights-analysis", "network-insights-path", "network-interface", "outpost-lag",
    "placement-group", "prefix-list", "replace-root-volume-task", "reserved-instances", "route-server",
    "route-server-endpoint", "route-server-peer", "route-table", "secondary-interface",
    "secondary-network", "secondary-subnet", "security-group", "security-group-rule",
    "service-link-virtual-interface", "snapshot", "spot-fleet-request", "spot-instances-request",
    "subnet", "subnet-cidr-reservation", "traffic-mirror-filter", "traffic-mirror-filter-rule",
    "traffic-mirror-session", "traffic-mirror-target", "transit-gateway", "transit-gateway-attachment",
    "transit-gateway-connect-peer", "transit-gateway-metering-policy",
    "transit-gateway-multicast-domain", "transit-gateway-policy-table", "transit-gateway-route-table",
    "transit-gateway-route-table-announcement", "verified-access-endpoint",
    "verified-access-endpoint-target", "verified-access-group", "verified-access-instance",
    "verified-access-policy", "verified-access-trust-provider", "volume", "vpc",
    "vpc-block-public-access-exclusion", "vpc-encryption-control", "vpc-endpoint",
    "vpc-endpoint-connection", "vpc-endpoint-connection-device-type", "vpc-endpoint-service",
    "vpc-endpoint-service-permission", "vpc-flow-log", "vpc-peering-connection", "vpn-concentrator",
    "vpn-connection", "vpn-connection-device-type", "vpn-gateway",
]);
static RevokeSecurityGroupEgressRequest: Structure = Structure { name: "RevokeSecurityGroupEgressRequest", members: &[
    optional("SecurityGroupRuleIds", "SecurityGroupRuleId", "SecurityGroupRuleId", &SecurityGroupRuleIdList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
    required("GroupId", "GroupId", "groupId", &TEXT),
    optional("SourceSecurityGroupName", "SourceSecurityGroupName", "sourceSecurityGroupName", &TEXT),
    optional("SourceSecurityGroupOwnerId", "SourceSecurityGroupOwnerId", "sourceSecurityGroupOwnerId", &TEXT),
    optional("IpProtocol", "IpProtocol", "ipProtocol", &TEXT),
    optional("FromPort", "FromPort", "fromPort", &INT),
    optional("ToPort", "ToPort", "toPort", &INT),
    optional("CidrIp", "CidrIp", "cidrIp", &TEXT),
    optional("IpPermissions", "IpPermissions", "ipPermissions", &IpPermissionList),
] };
static RevokeSecurityGroupEgressResult: Structure = Structure { name: "RevokeSecurityGroupEgressResult", members: &[
    optional("Return", "Return", "return", &BOOL),
    optional("UnknownIpPermissions", "UnknownIpPermissionSet", "unknownIpPermissionSet", &IpPermissionList),
    optional("RevokedSecurityGroupRules", "RevokedSecurityGroupRuleSet", "revokedSecurityGroupRuleSet", &RevokedSecurityGroupRuleList),
] };
static RevokeSecurityGroupIngressRequest: Structure = Structure { name: "RevokeSecurityGroupIngressRequest", members: &[
    optional("CidrIp", "CidrIp", "CidrIp", &TEXT),
    optional("FromPort", "FromPort", "FromPort", &INT),
    optional("GroupId", "GroupId", "GroupId", &TEXT),
    optional("GroupName", "GroupName", "GroupName", &TEXT),
    optional("IpPermissions", "IpPermissions", "IpPermissions", &IpPermissionList),
    optional("IpProtocol", "IpProtocol", "IpProtocol", &TEXT),
    optional("SourceSecurityGroupName", "SourceSecurityGroupName", "SourceSecurityGroupName", &TEXT),
    optional("SourceSecurityGroupOwnerId", "SourceSecurityGroupOwnerId", "SourceSecurityGroupOwnerId", &TEXT),
    optional("ToPort", "ToPort", "ToPort", &INT),
    optional("SecurityGroupRuleIds", "SecurityGroupRuleId", "SecurityGroupRuleId", &SecurityGroupRuleIdList),
    optional("DryRun", "DryRun", "dryRun", &BOOL),
] };
static RevokeSecurityGroupIngressResult: Structure = Structure { name: "RevokeSecurityGroupIngressResult", members: &[
    optional("Return", "Return", "return", &BOOL),
    optional("UnknownIpPermissions", "UnknownIpPermissionSet", "unknownIpPermissionSet", &IpPermissionList),
    optional("RevokedSecurityGroupRules", "RevokedSecurityGroupRuleSet", "revokedSecurityGroupRuleSet", &RevokedSecurityGroupRuleList),
] };
static RevokedSecurityGroupRule: Structure = Structure { name: "RevokedSecurityGroupRule", members: &[
    optional("SecurityGroupRuleId", "SecurityGroupRuleId", "securityGroupRuleId", &TEXT),
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("IsEgress", "IsEgress", "isEgress", &BOOL),
    optional("IpProtocol", "IpProtocol", "ipProtocol", &TEXT),
    optional("FromPort", "FromPort", "fromPort", &INT),
    optional("ToPort", "ToPort", "toPort", &INT),
    optional("CidrIpv4", "CidrIpv4", "cidrIpv4", &TEXT),
    optional("CidrIpv6", "CidrIpv6", "cidrIpv6", &TEXT),
    optional("PrefixListId", "PrefixListId", "prefixListId", &TEXT),
    optional("ReferencedGroupId", "ReferencedGroupId", "referencedGroupId", &TEXT),
    optional("Description", "Description", "description", &TEXT),
] };
static RevokedSecurityGroupRuleList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&RevokedSecurityGroupRule) });
static Route: Structure = Structure { name: "Route", members: &[
    optional("DestinationCidrBlock", "DestinationCidrBlock", "destinationCidrBlock", &TEXT),
    optional("DestinationIpv6CidrBlock", "DestinationIpv6CidrBlock", "destinationIpv6CidrBlock", &TEXT),
    optional("DestinationPrefixListId", "DestinationPrefixListId", "destinationPrefixListId", &TEXT),
    optional("EgressOnlyInternetGatewayId", "EgressOnlyInternetGatewayId", "egressOnlyInternetGatewayId", &TEXT),
    optional("GatewayId", "GatewayId", "gatewayId", &TEXT),
    optional("InstanceId", "InstanceId", "instanceId", &TEXT),
    optional("InstanceOwnerId", "InstanceOwnerId", "instanceOwnerId", &TEXT),
    optional("NatGatewayId", "NatGatewayId", "natGatewayId", &TEXT),
    optional("TransitGatewayId", "TransitGatewayId", "transitGatewayId", &TEXT),
    optional("LocalGatewayId", "LocalGatewayId", "localGatewayId", &TEXT),
    optional("CarrierGatewayId", "CarrierGatewayId", "carrierGatewayId", &TEXT),
    optional("NetworkInterfaceId", "NetworkInterfaceId", "networkInterfaceId", &TEXT),
    optional("Origin", "Origin", "origin", &RouteOrigin),
    optional("State", "State", "state", &RouteState),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
    optional("CoreNetworkArn", "CoreNetworkArn", "coreNetworkArn", &TEXT),
    optional("OdbNetworkArn", "OdbNetworkArn", "odbNetworkArn", &TEXT),
    optional("IpAddress", "IpAddress", "ipAddress", &TEXT),
] };
static RouteList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Route) });
static RouteOrigin: Shape = Shape::Text(&["Advertisement", "CreateRoute", "CreateRouteTable", "EnableVgwRoutePropagation"]);
static RouteState: Shape = Shape::Text(&["active", "blackhole", "filtered"]);
static RouteTable: Structure = Structure { name: "RouteTable", members: &[
    optional("Associations", "AssociationSet", "associationSet", &RouteTableAssociationList),
    optional("PropagatingVgws", "PropagatingVgwSet", "propagatingVgwSet", &PropagatingVgwList),
    optional("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
    optional("Routes", "RouteSet", "routeSet", &RouteList),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
] };
static RouteTableAssociation: Structure = Structure { name: "RouteTableAssociation", members: &[
    optional("Main", "Main", "main", &BOOL),
    optional("RouteTableAssociationId", "RouteTableAssociationId", "routeTableAssociationId", &TEXT),
    optional("RouteTableId", "RouteTableId", "routeTableId", &TEXT),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
    optional("GatewayId", "GatewayId", "gatewayId", &TEXT),
    optional("PublicIpv4Pool", "PublicIpv4Pool", "publicIpv4Pool", &TEXT),
    optional("AssociationState", "AssociationState", "associationState", &Shape::Struct(&RouteTableAssociationState)),
] };
static RouteTableAssociationList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&RouteTableAssociation) });
static RouteTableAssociationState: Structure = Structure { name: "RouteTableAssociationState", members: &[
    optional("State", "State", "state", &RouteTableAssociationStateCode),
    optional("StatusMessage", "StatusMessage", "statusMessage", &TEXT),
] };
static RouteTableAssociationStateCode: Shape = Shape::Text(&["associated", "associating", "disassociated", "disassociating", "failed"]);
static RouteTableIdStringList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static RouteTableList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&RouteTable) });
static RuleAction: Shape = Shape::Text(&["allow", "deny"]);
static SecurityGroup: Structure = Structure { name: "SecurityGroup", members: &[
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("IpPermissionsEgress", "IpPermissionsEgress", "ipPermissionsEgress", &IpPermissionList),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("SecurityGroupArn", "SecurityGroupArn", "securityGroupArn", &TEXT),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("GroupName", "GroupName", "groupName", &TEXT),
    optional("Description", "GroupDescription", "groupDescription", &TEXT),
    optional("IpPermissions", "IpPermissions", "ipPermissions", &IpPermissionList),
] };
static SecurityGroupList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&SecurityGroup) });
static SecurityGroupReference: Structure = Structure { name: "SecurityGroupReference", members: &[
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("ReferencingVpcId", "ReferencingVpcId", "referencingVpcId", &TEXT),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
    optional("TransitGatewayId", "TransitGatewayId", "transitGatewayId", &TEXT),
] };
static SecurityGroupReferences: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&SecurityGroupReference) });
static SecurityGroupRule: Structure = Structure { name: "SecurityGroupRule", members: &[
    optional("SecurityGroupRuleId", "SecurityGroupRuleId", "securityGroupRuleId", &TEXT),
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("GroupOwnerId", "GroupOwnerId", "groupOwnerId", &TEXT),
    optional("IsEgress", "IsEgress", "isEgress", &BOOL),
    optional("IpProtocol", "IpProtocol", "ipProtocol", &TEXT),
    optional("FromPort", "FromPort", "fromPort", &INT),
    optional("ToPort", "ToPort", "toPort", &INT),
    optional("CidrIpv4", "CidrIpv4", "cidrIpv4", &TEXT),
    optional("CidrIpv6", "CidrIpv6", "cidrIpv6", &TEXT),
    optional("PrefixListId", "PrefixListId", "prefixListId", &TEXT),
    optional("ReferencedGroupInfo", "ReferencedGroupInfo", "referencedGroupInfo", &Shape::Struct(&ReferencedSecurityGroup)),
    optional("Description", "Description", "description", &TEXT),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("SecurityGroupRuleArn", "SecurityGroupRuleArn", "securityGroupRuleArn", &TEXT),
] };
static SecurityGroupRuleDescription: Structure = Structure { name: "SecurityGroupRuleDescription", members: &[
    optional("SecurityGroupRuleId", "SecurityGroupRuleId", "SecurityGroupRuleId", &TEXT),
    optional("Description", "Description", "Description", &TEXT),
] };
static SecurityGroupRuleDescriptionList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&SecurityGroupRuleDescription) });
static SecurityGroupRuleIdList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static SecurityGroupRuleList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&SecurityGroupRule) });
static SecurityGroupRuleRequest: Structure = Structure { name: "SecurityGroupRuleRequest", members: &[
    optional("IpProtocol", "IpProtocol", "IpProtocol", &TEXT),
    optional("FromPort", "FromPort", "FromPort", &INT),
    optional("ToPort", "ToPort", "ToPort", &INT),
    optional("CidrIpv4", "CidrIpv4", "CidrIpv4", &TEXT),
    optional("CidrIpv6", "CidrIpv6", "CidrIpv6", &TEXT),
    optional("PrefixListId", "PrefixListId", "PrefixListId", &TEXT),
    optional("ReferencedGroupId", "ReferencedGroupId", "ReferencedGroupId", &TEXT),
    optional("Description", "Description", "Description", &TEXT),
] };
static SecurityGroupRuleUpdate: Structure = Structure { name: "SecurityGroupRuleUpdate", members: &[
    required("SecurityGroupRuleId", "SecurityGroupRuleId", "SecurityGroupRuleId", &TEXT),
    optional("SecurityGroupRule", "SecurityGroupRule", "SecurityGroupRule", &Shape::Struct(&SecurityGroupRuleRequest)),
] };
static SecurityGroupRuleUpdateList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&SecurityGroupRuleUpdate) });
static StaleIpPermission: Structure = Structure { name: "StaleIpPermission", members: &[
    optional("FromPort", "FromPort", "fromPort", &INT),
    optional("IpProtocol", "IpProtocol", "ipProtocol", &TEXT),
    optional("IpRanges", "IpRanges", "ipRanges", &IpRanges),
    optional("PrefixListIds", "PrefixListIds", "prefixListIds", &PrefixListIdSet),
    optional("ToPort", "ToPort", "toPort", &INT),
    optional("UserIdGroupPairs", "Groups", "groups", &UserIdGroupPairSet),
] };
static StaleIpPermissionSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&StaleIpPermission) });
static StaleSecurityGroup: Structure = Structure { name: "StaleSecurityGroup", members: &[
    optional("Description", "Description", "description", &TEXT),
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("GroupName", "GroupName", "groupName", &TEXT),
    optional("StaleIpPermissions", "StaleIpPermissions", "staleIpPermissions", &StaleIpPermissionSet),
    optional("StaleIpPermissionsEgress", "StaleIpPermissionsEgress", "staleIpPermissionsEgress", &StaleIpPermissionSet),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
] };
static StaleSecurityGroupSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&StaleSecurityGroup) });
static Subnet: Structure = Structure { name: "Subnet", members: &[
    optional("AvailabilityZoneId", "AvailabilityZoneId", "availabilityZoneId", &TEXT),
    optional("EnableLniAtDeviceIndex", "EnableLniAtDeviceIndex", "enableLniAtDeviceIndex", &INT),
    optional("MapCustomerOwnedIpOnLaunch", "MapCustomerOwnedIpOnLaunch", "mapCustomerOwnedIpOnLaunch", &BOOL),
    optional("CustomerOwnedIpv4Pool", "CustomerOwnedIpv4Pool", "customerOwnedIpv4Pool", &TEXT),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("AssignIpv6AddressOnCreation", "AssignIpv6AddressOnCreation", "assignIpv6AddressOnCreation", &BOOL),
    optional("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet", "ipv6CidrBlockAssociationSet", &SubnetIpv6CidrBlockAssociationSet),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("SubnetArn", "SubnetArn", "subnetArn", &TEXT),
    optional("OutpostArn", "OutpostArn", "outpostArn", &TEXT),
    optional("EnableDns64", "EnableDns64", "enableDns64", &BOOL),
    optional("Ipv6Native", "Ipv6Native", "ipv6Native", &BOOL),
    optional("PrivateDnsNameOptionsOnLaunch", "PrivateDnsNameOptionsOnLaunch", "privateDnsNameOptionsOnLaunch", &Shape::Struct(&PrivateDnsNameOptionsOnLaunch)),
    optional("BlockPublicAccessStates", "BlockPublicAccessStates", "blockPublicAccessStates", &Shape::Struct(&BlockPublicAccessStates)),
    optional("Type", "Type", "type", &TEXT),
    optional("SubnetId", "SubnetId", "subnetId", &TEXT),
    optional("State", "State", "state", &SubnetState),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("CidrBlock", "CidrBlock", "cidrBlock", &TEXT),
    optional("AvailableIpAddressCount", "AvailableIpAddressCount", "availableIpAddressCount", &INT),
    optional("AvailabilityZone", "AvailabilityZone", "availabilityZone", &TEXT),
    optional("DefaultForAz", "DefaultForAz", "defaultForAz", &BOOL),
    optional("MapPublicIpOnLaunch", "MapPublicIpOnLaunch", "mapPublicIpOnLaunch", &BOOL),
] };
static SubnetCidrBlockState: Structure = Structure { name: "SubnetCidrBlockState", members: &[
    optional("State", "State", "state", &SubnetCidrBlockStateCode),
    optional("StatusMessage", "StatusMessage", "statusMessage", &TEXT),
] };
static SubnetCidrBlockStateCode: Shape = Shape::Text(&["associated", "associating", "disassociated", "disassociating", "failed", "failing"]);
static SubnetIdStringList: Shape = Shape::List(&List { item_name: Some("SubnetId"), item: &TEXT });
static SubnetIpv6CidrBlockAssociation: Structure = Structure { name: "SubnetIpv6CidrBlockAssociation", members: &[
    optional("AssociationId", "AssociationId", "associationId", &TEXT),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "ipv6CidrBlock", &TEXT),
    optional("Ipv6CidrBlockState", "Ipv6CidrBlockState", "ipv6CidrBlockState", &Shape::Struct(&SubnetCidrBlockState)),
    optional("Ipv6AddressAttribute", "Ipv6AddressAttribute", "ipv6AddressAttribute", &Ipv6AddressAttribute),
    optional("IpSource", "IpSource", "ipSource", &IpSource),
] };
static SubnetIpv6CidrBlockAssociationSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&SubnetIpv6CidrBlockAssociation) });
static SubnetList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Subnet) });
static SubnetState: Shape = Shape::Text(&["available", "failed", "failed-insufficient-capacity", "pending", "unavailable"]);
static Tag: Structure = Structure { name: "Tag", members: &[
    optional("Key", "Key", "key", &TEXT),
    optional("Value", "Value", "value", &TEXT),
] };
static TagDescription: Structure = Structure { name: "TagDescription", members: &[
    optional("Key", "Key", "key", &TEXT),
    optional("ResourceId", "ResourceId", "resourceId", &TEXT),
    optional("ResourceType", "ResourceType", "resourceType", &ResourceType),
    optional("Value", "Value", "value", &TEXT),
] };
static TagDescriptionList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&TagDescription) });
static TagList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Tag) });
static TagSpecification: Structure = Structure { name: "TagSpecification", members: &[
    optional("ResourceType", "ResourceType", "resourceType", &ResourceType),
    optional("Tags", "Tag", "Tag", &TagList),
] };
static TagSpecificationList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&TagSpecification) });
static Tenancy: Shape = Shape::Text(&["dedicated", "default", "host"]);
static UpdateSecurityGroupRuleDescriptionsEgressRequest: Structure = Structure { name: "UpdateSecurityGroupRuleDescriptionsEgressRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("GroupId", "GroupId", "GroupId", &TEXT),
    optional("GroupName", "GroupName", "GroupName", &TEXT),
    optional("IpPermissions", "IpPermissions", "IpPermissions", &IpPermissionList),
    optional("SecurityGroupRuleDescriptions", "SecurityGroupRuleDescription", "SecurityGroupRuleDescription", &SecurityGroupRuleDescriptionList),
] };
static UpdateSecurityGroupRuleDescriptionsEgressResult: Structure = Structure { name: "UpdateSecurityGroupRuleDescriptionsEgressResult", members: &[
    optional("Return", "Return", "return", &BOOL),
] };
static UpdateSecurityGroupRuleDescriptionsIngressRequest: Structure = Structure { name: "UpdateSecurityGroupRuleDescriptionsIngressRequest", members: &[
    optional("DryRun", "DryRun", "DryRun", &BOOL),
    optional("GroupId", "GroupId", "GroupId", &TEXT),
    optional("GroupName", "GroupName", "GroupName", &TEXT),
    optional("IpPermissions", "IpPermissions", "IpPermissions", &IpPermissionList),
    optional("SecurityGroupRuleDescriptions", "SecurityGroupRuleDescription", "SecurityGroupRuleDescription", &SecurityGroupRuleDescriptionList),
] };
static UpdateSecurityGroupRuleDescriptionsIngressResult: Structure = Structure { name: "UpdateSecurityGroupRuleDescriptionsIngressResult", members: &[
    optional("Return", "Return", "return", &BOOL),
] };
static UserIdGroupPair: Structure = Structure { name: "UserIdGroupPair", members: &[
    optional("Description", "Description", "description", &TEXT),
    optional("UserId", "UserId", "userId", &TEXT),
    optional("GroupName", "GroupName", "groupName", &TEXT),
    optional("GroupId", "GroupId", "groupId", &TEXT),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
    optional("PeeringStatus", "PeeringStatus", "peeringStatus", &TEXT),
] };
static UserIdGroupPairList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&UserIdGroupPair) });
static UserIdGroupPairSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&UserIdGroupPair) });
static ValueStringList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static Vpc: Structure = Structure { name: "Vpc", members: &[
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("InstanceTenancy", "InstanceTenancy", "instanceTenancy", &Tenancy),
    optional("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet", "ipv6CidrBlockAssociationSet", &VpcIpv6CidrBlockAssociationSet),
    optional("CidrBlockAssociationSet", "CidrBlockAssociationSet", "cidrBlockAssociationSet", &VpcCidrBlockAssociationSet),
    optional("IsDefault", "IsDefault", "isDefault", &BOOL),
    optional("EncryptionControl", "EncryptionControl", "encryptionControl", &Shape::Struct(&VpcEncryptionControl)),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("BlockPublicAccessStates", "BlockPublicAccessStates", "blockPublicAccessStates", &Shape::Struct(&BlockPublicAccessStates)),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("State", "State", "state", &VpcState),
    optional("CidrBlock", "CidrBlock", "cidrBlock", &TEXT),
    optional("DhcpOptionsId", "DhcpOptionsId", "dhcpOptionsId", &TEXT),
] };
static VpcAttributeName: Shape = Shape::Text(&["enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics"]);
static VpcCidrBlockAssociation: Structure = Structure { name: "VpcCidrBlockAssociation", members: &[
    optional("AssociationId", "AssociationId", "associationId", &TEXT),
    optional("CidrBlock", "CidrBlock", "cidrBlock", &TEXT),
    optional("CidrBlockState", "CidrBlockState", "cidrBlockState", &Shape::Struct(&VpcCidrBlockState)),
] };
static VpcCidrBlockAssociationSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&VpcCidrBlockAssociation) });
static VpcCidrBlockState: Structure = Structure { name: "VpcCidrBlockState", members: &[
    optional("State", "State", "state", &VpcCidrBlockStateCode),
    optional("StatusMessage", "StatusMessage", "statusMessage", &TEXT),
] };
static VpcCidrBlockStateCode: Shape = Shape::Text(&["associated", "associating", "disassociated", "disassociating", "failed", "failing"]);
static VpcEncryptionControl: Structure = Structure { name: "VpcEncryptionControl", members: &[
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("VpcEncryptionControlId", "VpcEncryptionControlId", "vpcEncryptionControlId", &TEXT),
    optional("Mode", "Mode", "mode", &VpcEncryptionControlMode),
    optional("State", "State", "state", &VpcEncryptionControlState),
    optional("StateMessage", "StateMessage", "stateMessage", &TEXT),
    optional("ResourceExclusions", "ResourceExclusions", "resourceExclusions", &Shape::Struct(&VpcEncryptionControlExclusions)),
    optional("Tags", "TagSet", "tagSet", &TagList),
] };
static VpcEncryptionControlConfiguration: Structure = Structure { name: "VpcEncryptionControlConfiguration", members: &[
    required("Mode", "Mode", "Mode", &VpcEncryptionControlMode),
    optional("InternetGatewayExclusion", "InternetGatewayExclusion", "InternetGatewayExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("EgressOnlyInternetGatewayExclusion", "EgressOnlyInternetGatewayExclusion", "EgressOnlyInternetGatewayExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("NatGatewayExclusion", "NatGatewayExclusion", "NatGatewayExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("VirtualPrivateGatewayExclusion", "VirtualPrivateGatewayExclusion", "VirtualPrivateGatewayExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("VpcPeeringExclusion", "VpcPeeringExclusion", "VpcPeeringExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("LambdaExclusion", "LambdaExclusion", "LambdaExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("VpcLatticeExclusion", "VpcLatticeExclusion", "VpcLatticeExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("ElasticFileSystemExclusion", "ElasticFileSystemExclusion", "ElasticFileSystemExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("GlobalAcceleratorExclusion", "GlobalAcceleratorExclusion", "GlobalAcceleratorExclusion", &VpcEncryptionControlExclusionStateInput),
    optional("ApiGatewayV2Exclusion", "ApiGatewayV2Exclusion", "ApiGatewayV2Exclusion", &VpcEncryptionControlExclusionStateInput),
] };
static VpcEncryptionControlExclusion: Structure = Structure { name: "VpcEncryptionControlExclusion", members: &[
    optional("State", "State", "state", &VpcEncryptionControlExclusionState),
    optional("StateMessage", "StateMessage", "stateMessage", &TEXT),
] };
static VpcEncryptionControlExclusionState: Shape = Shape::Text(&["disabled", "disabling", "enabled", "enabling"]);
static VpcEncryptionControlExclusionStateInput: Shape = Shape::Text(&["disable", "enable"]);
static VpcEncryptionControlExclusions: Structure = Structure { name: "VpcEncryptionControlExclusions", members: &[
    optional("InternetGateway", "InternetGateway", "internetGateway", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("EgressOnlyInternetGateway", "EgressOnlyInternetGateway", "egressOnlyInternetGateway", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("NatGateway", "NatGateway", "natGateway", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("VirtualPrivateGateway", "VirtualPrivateGateway", "virtualPrivateGateway", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("VpcPeering", "VpcPeering", "vpcPeering", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("Lambda", "Lambda", "lambda", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("VpcLattice", "VpcLattice", "vpcLattice", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("ElasticFileSystem", "ElasticFileSystem", "elasticFileSystem", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("GlobalAccelerator", "GlobalAccelerator", "globalAccelerator", &Shape::Struct(&VpcEncryptionControlExclusion)),
    optional("ApiGatewayV2", "ApiGatewayV2", "apiGatewayV2", &Shape::Struct(&VpcEncryptionControlExclusion)),
] };
static VpcEncryptionControlMode: Shape = Shape::Text(&["enforce", "monitor"]);
static VpcEncryptionControlState: Shape = Shape::Text(&[
    "available", "creating", "delete-failed", "deleted", "deleting", "enforce-failed",
    "enforce-in-progress", "monitor-failed", "monitor-in-progress",
]);
static VpcIdStringList: Shape = Shape::List(&List { item_name: Some("VpcId"), item: &TEXT });
static VpcIpv6CidrBlockAssociation: Structure = Structure { name: "VpcIpv6CidrBlockAssociation", members: &[
    optional("AssociationId", "AssociationId", "associationId", &TEXT),
    optional("Ipv6CidrBlock", "Ipv6CidrBlock", "ipv6CidrBlock", &TEXT),
    optional("Ipv6CidrBlockState", "Ipv6CidrBlockState", "ipv6CidrBlockState", &Shape::Struct(&VpcCidrBlockState)),
    optional("NetworkBorderGroup", "NetworkBorderGroup", "networkBorderGroup", &TEXT),
    optional("Ipv6Pool", "Ipv6Pool", "ipv6Pool", &TEXT),
    optional("Ipv6AddressAttribute", "Ipv6AddressAttribute", "ipv6AddressAttribute", &Ipv6AddressAttribute),
    optional("IpSource", "IpSource", "ipSource", &IpSource),
] };
static VpcIpv6CidrBlockAssociationSet: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&VpcIpv6CidrBlockAssociation) });
static VpcList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&Vpc) });
static VpcPeeringConnection: Structure = Structure { name: "VpcPeeringConnection", members: &[
    optional("AccepterVpcInfo", "AccepterVpcInfo", "accepterVpcInfo", &Shape::Struct(&VpcPeeringConnectionVpcInfo)),
    optional("ExpirationTime", "ExpirationTime", "expirationTime", &TIME),
    optional("RequesterVpcInfo", "RequesterVpcInfo", "requesterVpcInfo", &Shape::Struct(&VpcPeeringConnectionVpcInfo)),
    optional("Status", "Status", "status", &Shape::Struct(&VpcPeeringConnectionStateReason)),
    optional("Tags", "TagSet", "tagSet", &TagList),
    optional("VpcPeeringConnectionId", "VpcPeeringConnectionId", "vpcPeeringConnectionId", &TEXT),
    optional("MultipathResilienceStatus", "MultipathResilienceStatus", "multipathResilienceStatus", &MultipathResilienceStatus),
] };
static VpcPeeringConnectionIdList: Shape = Shape::List(&List { item_name: Some("item"), item: &TEXT });
static VpcPeeringConnectionList: Shape = Shape::List(&List { item_name: Some("item"), item: &Shape::Struct(&VpcPeeringConnection) });
static VpcPeeringConnectionOptionsDescription: Structure = Structure { name: "VpcPeeringConnectionOptionsDescription", members: &[
    optional("AllowDnsResolutionFromRemoteVpc", "AllowDnsResolutionFromRemoteVpc", "allowDnsResolutionFromRemoteVpc", &BOOL),
    optional("AllowEgressFromLocalClassicLinkToRemoteVpc", "AllowEgressFromLocalClassicLinkToRemoteVpc", "allowEgressFromLocalClassicLinkToRemoteVpc", &BOOL),
    optional("AllowEgressFromLocalVpcToRemoteClassicLink", "AllowEgressFromLocalVpcToRemoteClassicLink", "allowEgressFromLocalVpcToRemoteClassicLink", &BOOL),
    optional("AllowMultipathResilience", "AllowMultipathResilience", "allowMultipathResilience", &BOOL),
    optional("MultipathResilienceMode", "MultipathResilienceMode", "multipathResilienceMode", &MultipathResilienceMode),
] };
static VpcPeeringConnectionStateReason: Structure = Structure { name: "VpcPeeringConnectionStateReason", members: &[
    optional("Code", "Code", "code", &VpcPeeringConnectionStateReasonCode),
    optional("Message", "Message", "message", &TEXT),
] };
static VpcPeeringConnectionStateReasonCode: Shape = Shape::Text(&[
    "active", "deleted", "deleting", "expired", "failed", "initiating-request", "pending-acceptance",
    "provisioning", "rejected",
]);
static VpcPeeringConnectionVpcInfo: Structure = Structure { name: "VpcPeeringConnectionVpcInfo", members: &[
    optional("CidrBlock", "CidrBlock", "cidrBlock", &TEXT),
    optional("Ipv6CidrBlockSet", "Ipv6CidrBlockSet", "ipv6CidrBlockSet", &Ipv6CidrBlockSet),
    optional("CidrBlockSet", "CidrBlockSet", "cidrBlockSet", &CidrBlockSet),
    optional("OwnerId", "OwnerId", "ownerId", &TEXT),
    optional("PeeringOptions", "PeeringOptions", "peeringOptions", &Shape::Struct(&VpcPeeringConnectionOptionsDescription)),
    optional("VpcId", "VpcId", "vpcId", &TEXT),
    optional("Region", "Region", "region", &TEXT),
] };
static VpcState: Shape = Shape::Text(&["available", "deleting", "pending"]);
static ZoneIdStringList: Shape = Shape::List(&List { item_name: Some("ZoneId"), item: &TEXT });
static ZoneNameStringList: Shape = Shape::List(&List { item_name: Some("ZoneName"), item: &TEXT });
