//! The world: one state, one clock, one door (`call`).

mod agenda;
mod audit;
mod books;
mod cidr;
mod describe;
mod epoch;
mod faults;
mod gateways;
mod groups;
mod hooks;
mod human;
mod lifecycle;
mod options;
mod peering;
mod places;
mod prefix_lists;
mod queues;
mod quota;
mod routes;
mod rules;
mod sts;
mod subnets;
mod tables;
mod tags;
mod throttle;
mod tokens;
mod trails;
mod visibility;
mod vpc;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::chance::{Chance, Choice, Delay, Fault};
use crate::error::{AwsError, Failure};
use crate::ids::{
    AccountId, GatewayId, GroupId, IdSource, PeeringId, PrefixListId, Region, RouteTableId, SubnetId, VpcId,
};
use crate::request::{Action, Caller, Request};
use crate::view::{Identity, Response, Target};

use agenda::{Agenda, Thing};
use audit::Seen;
use books::Books;
use gateways::Gateway;
use groups::Group;
use peering::Peering;
use prefix_lists::PrefixList;
use subnets::Subnet;
use tables::RouteTable;
use visibility::Shelf;
use vpc::Vpc;

pub use books::Mutation;
pub use quota::Quotas;
pub use sts::{Role, Trust, Who};
pub use throttle::{Category, Rate, Throttling};

/// An EC2 of all accounts and Regions.
///
/// Equality and hash are those of the state. The books (counters and mutation log) are an account of how it came
/// about and take no part: two ways to one state are one state.
#[derive(Clone, Default, Debug)]
pub struct World {
    state: State,
    books: Books,
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl Eq for World {}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}

/// Every large part is shared until it is written: a clone costs a few counters.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    now_ms: u64,
    epoch: epoch::Epoch,
    ids: IdSource,
    vpcs: Shelf<VpcId, Vpc>,
    tables: Shelf<RouteTableId, RouteTable>,
    peerings: Shelf<PeeringId, Peering>,
    prefix_lists: Shelf<PrefixListId, PrefixList>,
    subnets: Shelf<SubnetId, Subnet>,
    gateways: Shelf<GatewayId, Gateway>,
    groups: Shelf<GroupId, Group>,
    refuses_unknown_ids: bool,
    links: Arc<BTreeMap<VpcId, Links>>,
    /// Requests that nobody has accepted, rejected or withdrawn.
    unanswered: Arc<BTreeSet<PeeringId>>,
    agenda: Agenda,
    quotas: Arc<BTreeMap<(AccountId, Region), Quotas>>,
    denied: Arc<BTreeSet<(AccountId, Region, Action)>>,
    broken: Arc<BTreeSet<String>>,
    throttling: Option<Arc<Throttling>>,
    buckets: throttle::Buckets,
    sts: sts::Sts,
    tokens: tokens::Tokens,
    /// Whose an access key is that says nothing of its own. Absent: [`DEFAULT_ACCOUNT`].
    default_account: Option<AccountId>,
    audit: audit::Audit,
    trails: trails::Trails,
    rules: rules::Rules,
    queues: queues::Queues,
}

/// The account of every access key that is not known to be another's.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// An account and a Region.
pub(crate) type Place = (AccountId, Region);

/// What belongs to a VPC, found without looking at all there is.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Links {
    tables: BTreeSet<RouteTableId>,
    subnets: BTreeSet<SubnetId>,
    groups: BTreeSet<GroupId>,
    gateway: Option<GatewayId>,
    peerings: BTreeSet<PeeringId>,
}

/// One call on its way through the world.
pub(crate) struct Cx<'a> {
    caller: &'a Caller,
    chance: &'a mut dyn Chance,
    /// For the log: what the call is about, and what it made.
    touched: Vec<String>,
    /// For the log: where a replaced or deleted route led.
    was: Option<Target>,
}

impl Cx<'_> {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        delay_ms(self.chance, what)
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        pick(self.chance, what, ways)
    }

    /// A write may not find what was only just created.
    fn too_early(&mut self) -> bool {
        self.pick(Choice::WriteTooEarly, 2) == 1
    }

    fn touch(&mut self, id: impl AsRef<str>) {
        self.touched.push(id.as_ref().to_owned());
    }

    fn is_at(&self, account: &AccountId, region: &Region) -> bool {
        self.caller.is_at(account, region)
    }
}

fn delay_ms(chance: &mut dyn Chance, what: Delay) -> u64 {
    chance.delay_ms(what).min(what.max_ms())
}

fn pick(chance: &mut dyn Chance, what: Choice, ways: usize) -> usize {
    let way = chance.pick(what, ways);
    if way < ways { way } else { 0 }
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn now_ms(&self) -> u64 {
        self.state.now_ms
    }

    /// The account of every access key that is not known to be another's: [`DEFAULT_ACCOUNT`] unless set.
    pub fn default_account(&self) -> AccountId {
        self.state.default_account.clone().unwrap_or_else(|| DEFAULT_ACCOUNT.into())
    }

    pub fn set_default_account(&mut self, account: impl Into<AccountId>) {
        self.state.default_account = Some(account.into());
    }

    /// One API call, at this moment of the virtual clock.
    pub fn call(
        &mut self,
        caller: &Caller,
        request: Request,
        chance: &mut dyn Chance,
    ) -> Result<Response, Failure> {
        self.state.settle();
        let action = request.action();
        self.books.count(caller, action);
        let was_logging = self.state.is_told(caller);
        let fault = chance.fault(caller, action);
        if let Some(failure) = self.stopped(caller, &request, fault) {
            self.note_stopped(caller, &request, &failure, chance, was_logging);
            return Err(failure);
        }
        let mut cx = Cx { caller, chance, touched: Vec::new(), was: None };
        let result = self.state.dispatch(&mut cx, &request);
        let (touched, was) = (cx.touched, cx.was);
        let lost = fault.and_then(|fault| faults::after(action.service(), fault));
        let answer = match &lost {
            Some(Failure::Aws(error)) if result.is_ok() => Err(error),
            _ => result.as_ref(),
        };
        self.note(caller, chance, Seen { request: &request, ids: &touched, answer, was_logging });
        self.state.settle();
        if action.mutates() {
            let result = result.as_ref().map(|_| ()).map_err(|error| error.code);
            self.books.record(Mutation {
                at_ms: self.state.now_ms,
                caller: caller.clone(),
                action,
                request,
                ids: touched,
                was,
                result,
                answered: lost.is_none(),
            });
        }
        match lost {
            Some(failure) => Err(failure),
            None => result.map_err(Failure::Aws),
        }
    }

    /// The call with DryRun set: what it would have met, and no effect.
    pub fn dry_run(&mut self, caller: &Caller, request: Request, chance: &mut dyn Chance) -> Failure {
        let action = request.action();
        self.books.count(caller, action);
        let was_logging = self.state.is_told(caller);
        let asked = self.clone().call(caller, request.clone(), chance);
        // A bucket does not ask whether the call was meant.
        self.too_fast(caller, &request, None);
        let failure = asked.err().unwrap_or_else(|| {
            let message = "Request would have succeeded, but DryRun flag is set.";
            Failure::Aws(AwsError::new("DryRunOperation", message))
        });
        self.note_stopped(caller, &request, &failure, chance, was_logging);
        failure
    }

    fn stopped(&mut self, caller: &Caller, request: &Request, fault: Option<Fault>) -> Option<Failure> {
        if let Some(refusal) = self.too_fast(caller, request, fault) {
            return Some(refusal.into());
        }
        self.state.stopped(caller, request.action(), fault)
    }

    /// CloudTrail's part.
    fn note(&mut self, caller: &Caller, chance: &mut dyn Chance, seen: Seen<'_>) {
        let record = self.state.audit(caller, chance, seen);
        self.books.note_request_id(record.map(|record| record.request_id()));
    }

    fn note_stopped(
        &mut self,
        caller: &Caller,
        request: &Request,
        failure: &Failure,
        chance: &mut dyn Chance,
        was_logging: bool,
    ) {
        self.books.note_request_id(None);
        if let Some(error) = audit::seen_though_stopped(failure) {
            self.note(caller, chance, Seen { request, ids: &[], answer: Err(error), was_logging });
        }
    }

    /// Moves the clock; everything that falls due on the way happens at its own time. A time that has passed
    /// moves nothing.
    pub fn advance(&mut self, to_ms: u64) {
        self.state.run_until(to_ms);
        self.state.now_ms = self.state.now_ms.max(to_ms);
    }

    /// When something next happens by itself: a transition, the end of a tombstone, the end of a lag. Between
    /// now and then only calls change anything.
    pub fn next_due(&self) -> Option<u64> {
        self.state.agenda.next_ms()
    }
}

impl State {
    /// What falls due at this very moment happens before anybody looks at the world again.
    fn settle(&mut self) {
        self.run_until(self.now_ms);
    }

    fn run_until(&mut self, to_ms: u64) {
        while let Some((at_ms, due)) = self.agenda.take_until(to_ms) {
            self.now_ms = self.now_ms.max(at_ms);
            self.happen(due);
        }
    }

    fn dispatch(&mut self, cx: &mut Cx<'_>, request: &Request) -> Result<Response, AwsError> {
        use Request as R;
        match request {
            R::CreateVpc { cidr, ipv6_cidr, tags } => self.create_vpc(cx, cidr, ipv6_cidr.as_deref(), tags),
            R::DeleteVpc { vpc_id } => self.delete_vpc(cx, vpc_id),
            R::ModifyVpcAttribute { vpc_id, enable_dns_support, enable_dns_hostnames } => {
                self.modify_vpc(cx, vpc_id, *enable_dns_support, *enable_dns_hostnames)
            }
            R::AssociateVpcCidrBlock { vpc_id, cidr } => self.associate_cidr(cx, vpc_id, cidr),
            R::DisassociateVpcCidrBlock { association_id } => self.disassociate_cidr(cx, association_id),
            R::DescribeVpcs(query) => self.describe_vpcs(cx, query),
            R::DescribeVpcAttribute { vpc_id } => self.describe_vpc_attribute(cx, vpc_id),
            R::CreateRouteTable { vpc_id, client_token, tags } => {
                self.create_table(cx, vpc_id, client_token.as_deref(), tags)
            }
            R::CreateSubnet(subnet) => self.create_subnet(cx, subnet),
            R::DeleteSubnet { subnet_id } => self.delete_subnet(cx, subnet_id),
            R::ModifySubnetAttribute { subnet_id, attribute } => {
                self.modify_subnet(cx, subnet_id, *attribute)
            }
            R::AssociateSubnetCidrBlock { subnet_id, ipv6_cidr } => {
                self.associate_subnet_cidr(cx, subnet_id, ipv6_cidr)
            }
            R::DisassociateSubnetCidrBlock { association_id } => {
                self.disassociate_subnet_cidr(cx, association_id)
            }
            R::DescribeSubnets(query) => self.describe_subnets(cx, query),
            R::CreateInternetGateway { tags } => self.create_gateway(cx, tags),
            R::AttachInternetGateway { gateway_id, vpc_id } => self.attach_gateway(cx, gateway_id, vpc_id),
            R::DetachInternetGateway { gateway_id, vpc_id } => self.detach_gateway(cx, gateway_id, vpc_id),
            R::DeleteInternetGateway { gateway_id } => self.delete_gateway(cx, gateway_id),
            R::DescribeInternetGateways(query) => self.describe_gateways(cx, query),
            R::CreateSecurityGroup(group) => self.create_group(cx, group),
            R::DeleteSecurityGroup { group_id } => self.delete_group(cx, group_id),
            R::AuthorizeSecurityGroupIngress(rules) => self.authorize(cx, false, rules),
            R::AuthorizeSecurityGroupEgress(rules) => self.authorize(cx, true, rules),
            R::RevokeSecurityGroupIngress(rules) => self.revoke(cx, false, rules),
            R::RevokeSecurityGroupEgress(rules) => self.revoke(cx, true, rules),
            R::ModifySecurityGroupRules { group_id, rules } => self.modify_rules(cx, group_id, rules),
            R::UpdateSecurityGroupRuleDescriptionsIngress(rules) => {
                self.describe_rules_anew(cx, false, rules)
            }
            R::UpdateSecurityGroupRuleDescriptionsEgress(rules) => self.describe_rules_anew(cx, true, rules),
            R::DescribeSecurityGroups(query) => self.describe_groups(cx, query),
            R::DescribeSecurityGroupRules(query) => self.describe_rules(cx, query),
            R::DescribeStaleSecurityGroups { vpc_id, max_results, next_token } => {
                self.describe_stale_groups(cx, vpc_id, *max_results, next_token.as_deref())
            }
            R::DescribeSecurityGroupReferences { group_ids } => self.group_references(cx, group_ids),
            R::DescribeNetworkAcls(query) => self.describe_acls(cx, query),
            R::DescribeNetworkInterfaces(query) => self.describe_interfaces(query),
            R::DescribeAvailabilityZones(query) => self.describe_zones(cx, query),
            R::DeleteRouteTable { route_table_id } => self.delete_table(cx, route_table_id),
            R::AssociateRouteTable { route_table_id, to } => self.associate_table(cx, route_table_id, to),
            R::DisassociateRouteTable { association_id } => self.disassociate_table(cx, association_id),
            R::ReplaceRouteTableAssociation { association_id, route_table_id } => {
                self.replace_association(cx, association_id, route_table_id)
            }
            R::DescribeRouteTables(query) => self.describe_tables(cx, query),
            R::EnableVgwRoutePropagation { route_table_id, gateway_id } => {
                self.set_propagation(cx, route_table_id, gateway_id, true)
            }
            R::DisableVgwRoutePropagation { route_table_id, gateway_id } => {
                self.set_propagation(cx, route_table_id, gateway_id, false)
            }
            R::CreateRoute(route) => self.create_route(cx, route),
            R::ReplaceRoute(route) => self.replace_route(cx, route),
            R::DeleteRoute(route) => self.delete_route(cx, route),
            R::CreateManagedPrefixList(list) => self.create_prefix_list(cx, list),
            R::ModifyManagedPrefixList {
                prefix_list_id,
                current_version,
                name,
                max_entries,
                add,
                remove,
            } => {
                let (current_version, max_entries) = (*current_version, *max_entries);
                let name = name.as_deref();
                let change = prefix_lists::Change { current_version, name, max_entries, add, remove };
                self.modify_prefix_list(cx, prefix_list_id, &change)
            }
            R::DeleteManagedPrefixList { prefix_list_id } => self.delete_prefix_list(cx, prefix_list_id),
            R::DescribeManagedPrefixLists(query) => self.describe_prefix_lists(cx, query),
            R::GetManagedPrefixListEntries { prefix_list_id, target_version, max_results, next_token } => {
                let next_token = next_token.as_deref();
                self.prefix_list_entries(cx, prefix_list_id, *target_version, *max_results, next_token)
            }
            R::CreateVpcPeeringConnection(peering) => self.create_peering(cx, peering),
            R::AcceptVpcPeeringConnection { peering_id } => self.accept_peering(cx, peering_id),
            R::RejectVpcPeeringConnection { peering_id } => self.reject_peering(cx, peering_id),
            R::DeleteVpcPeeringConnection { peering_id } => self.delete_peering(cx, peering_id),
            R::ModifyVpcPeeringConnectionOptions { peering_id, requester, accepter } => {
                self.modify_options(cx, peering_id, *requester, *accepter)
            }
            R::DescribeVpcPeeringConnections(query) => self.describe_peerings(cx, query),
            R::CreateTags { resources, tags } => self.create_tags(cx, resources, tags),
            R::DeleteTags { resources, tags } => self.delete_tags(cx, resources, tags),
            R::AssumeRole(request) => self.assume_role(cx.caller, request),
            R::AssumeRoleWithWebIdentity { role_arn, session_name, token, duration_s } => {
                self.assume_role_with_web_identity(role_arn, session_name, token, *duration_s)
            }
            R::DescribeTags(query) => self.describe_tags(cx, query),
            R::DescribeRegions { names } => places::regions(names),
            R::DescribeAccountAttributes { names } => places::account_attributes(names),
            R::GetCallerIdentity {} => Ok(Response::Identity(identity(cx.caller))),
            R::GetServiceQuota { service_code, quota_code } => {
                let quotas = self.quotas(&cx.caller.account, &cx.caller.region);
                quotas.listed_one(service_code, quota_code)
            }
            R::ListServiceQuotas { service_code } => {
                self.quotas(&cx.caller.account, &cx.caller.region).listed(service_code)
            }
            R::GetAWSDefaultServiceQuota { service_code, quota_code } => {
                Quotas::default().listed_one(service_code, quota_code)
            }
            R::ListAWSDefaultServiceQuotas { service_code } => Quotas::default().listed(service_code),
            other => self.dispatch_to_events(cx, other),
        }
    }

    fn dispatch_to_events(&mut self, cx: &mut Cx<'_>, request: &Request) -> Result<Response, AwsError> {
        use Request as R;
        match request {
            R::CreateTrail { name, multi_region } => self.create_trail(cx, name, *multi_region),
            R::DeleteTrail { name } => self.delete_trail(cx, name),
            R::StartLogging { name } => self.set_logging(cx, name, true),
            R::StopLogging { name } => self.set_logging(cx, name, false),
            R::PutEventSelectors { name, read_write_type, management_events } => {
                self.put_event_selectors(cx, name, *read_write_type, *management_events)
            }
            R::DescribeTrails { names } => self.describe_trails(cx, names),
            R::GetTrailStatus { name } => self.trail_status(cx, name),
            R::LookupEvents(lookup) => self.lookup_events(cx, lookup),
            R::PutRule { name, pattern, enabled } => self.put_rule(cx, name, pattern, *enabled),
            R::EnableRule { name } => self.set_rule(cx, name, true),
            R::DisableRule { name } => self.set_rule(cx, name, false),
            R::DeleteRule { name } => self.delete_rule(cx, name),
            R::PutTargets { rule, targets } => self.put_targets(cx, rule, targets),
            R::RemoveTargets { rule, ids } => self.remove_targets(cx, rule, ids),
            other => self.dispatch_to_queues(cx, other),
        }
    }

    fn dispatch_to_queues(&mut self, cx: &mut Cx<'_>, request: &Request) -> Result<Response, AwsError> {
        use Request as R;
        match request {
            R::CreateQueue { name, attributes, tags } => self.create_queue(cx, name, attributes, tags),
            R::DeleteQueue { queue } => self.delete_queue(cx, queue),
            R::PurgeQueue { queue } => self.purge_queue(cx, queue),
            R::SetQueueAttributes { queue, attributes } => self.set_queue_attributes(cx, queue, attributes),
            R::TagQueue { queue, tags } => {
                self.change_queue_tags(cx, queue, |held| held.extend(tags.clone()))
            }
            R::UntagQueue { queue, keys } => {
                self.change_queue_tags(cx, queue, |held| held.retain(|key, _| !keys.contains(key)))
            }
            R::ListQueueTags { queue } => self.queue_tags(cx, queue),
            R::GetQueueAttributes { queue, names } => self.queue_attributes(cx, queue, names),
            R::GetQueueUrl { name, owner } => self.queue_url(cx, name, owner.as_ref()),
            R::ListQueues { prefix, max_results, next_token } => {
                self.list_queues(cx, prefix, *max_results, next_token.as_deref())
            }
            R::SendMessage { queue, message } => self.send_message(cx, queue, message),
            R::SendMessageBatch { queue, entries } => self.send_batch(cx, queue, entries),
            R::ReceiveMessage(receive) => self.receive_messages(cx, receive),
            R::DeleteMessage { queue, receipt_handle } => self.delete_message(cx, queue, receipt_handle),
            R::DeleteMessageBatch { queue, entries } => self.delete_batch(cx, queue, entries),
            R::ChangeMessageVisibility { queue, receipt_handle, timeout_s } => {
                self.change_visibility(cx, queue, receipt_handle, *timeout_s)
            }
            R::ChangeMessageVisibilityBatch { queue, entries } => {
                self.change_visibility_batch(cx, queue, entries)
            }
            other => Err(AwsError::new("InvalidAction", format!("{} has no place here", other.action()))),
        }
    }

    /// EventBridge is told of what is called here.
    fn is_told(&self, caller: &Caller) -> bool {
        self.trails.log_at(caller)
    }

    /// Asks how long reads may still show what was before the write that now follows.
    fn lag(&mut self, cx: &mut Cx<'_>, thing: Thing) -> Option<u64> {
        let lag_ms = cx.delay_ms(Delay::Visibility);
        self.visible_after(lag_ms, thing)
    }

    fn visible_after(&mut self, lag_ms: u64, thing: Thing) -> Option<u64> {
        if lag_ms == 0 {
            return None;
        }
        let until_ms = self.now_ms.saturating_add(lag_ms);
        self.agenda.add(until_ms, agenda::Due::Visible(thing));
        Some(until_ms)
    }

    fn links_mut(&mut self, vpc: &VpcId) -> &mut Links {
        Arc::make_mut(&mut self.links).entry(vpc.clone()).or_default()
    }

    fn unlink<R>(&mut self, vpc: &VpcId, cut: impl FnOnce(&mut Links) -> R) {
        let links = Arc::make_mut(&mut self.links);
        let Some(of_vpc) = links.get_mut(vpc) else { return };
        cut(of_vpc);
        if *of_vpc == Links::default() {
            links.remove(vpc);
        }
    }

    fn links(&self, vpc: &VpcId) -> Option<&Links> {
        self.links.get(vpc)
    }
}

/// Of something in EC2.
fn arn(region: &Region, account: &AccountId, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{region}:{account}:{kind}/{id}")
}

/// A service never asks who it is; it would be told its name.
fn identity(caller: &Caller) -> Identity {
    let arn = caller.arn().unwrap_or_else(|| caller.principal.as_ref().to_owned());
    let user_id = caller.principal_id().unwrap_or_default();
    Identity { account: caller.account.clone(), arn, user_id }
}
