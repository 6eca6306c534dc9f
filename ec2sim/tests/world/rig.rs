//! Two accounts in two Regions, and short ways to ask.

use ec2sim::{
    Caller, Calm, CreatePeering, Describe, Failure, Page, PeeringId, PeeringStatus, PeeringView, Request,
    Response, RouteTableId, RouteTableView, Tags, VpcId, World,
};

pub const US: &str = "111122223333";
pub const THEM: &str = "444455556666";
pub const EU: &str = "eu-west-1";
pub const VA: &str = "us-east-1";
pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;

pub struct Rig {
    pub world: World,
    pub us: Caller,
    pub them: Caller,
    pub a: VpcId,
    pub b: VpcId,
}

/// Our VPC `a` in Ireland, their VPC `b` in Virginia.
pub fn rig() -> Rig {
    let mut world = World::new();
    let a = world.create_vpc(US, EU, "10.1.0.0/16").unwrap();
    let b = world.create_vpc(THEM, VA, "10.2.0.0/16").unwrap();
    Rig { world, us: Caller::new(US, EU), them: Caller::new(THEM, VA), a, b }
}

impl Rig {
    pub fn ask(&mut self, caller: &Caller, request: Request) -> Result<Response, Failure> {
        self.world.call(caller, request, &mut Calm)
    }

    pub fn refused(&mut self, caller: &Caller, request: Request) -> (&'static str, String) {
        match self.ask(caller, request) {
            Err(Failure::Aws(error)) => (error.code, error.message),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    pub fn peerings(&mut self, caller: &Caller, query: Describe) -> Page<PeeringView> {
        let answer = self.ask(caller, Request::DescribeVpcPeeringConnections(query)).unwrap();
        answer.peerings().unwrap()
    }

    pub fn peering(&mut self, caller: &Caller, id: &PeeringId) -> PeeringView {
        self.peerings(caller, Describe::ids([id])).items.remove(0)
    }

    /// `None` once it is gone.
    pub fn status(&mut self, caller: &Caller, id: &PeeringId) -> Option<PeeringStatus> {
        match self.ask(caller, Request::DescribeVpcPeeringConnections(Describe::ids([id]))) {
            Ok(answer) => Some(answer.peerings().unwrap().items[0].status),
            Err(failure) => {
                assert_eq!(failure.code(), Some("InvalidVpcPeeringConnectionID.NotFound"));
                None
            }
        }
    }

    pub fn table(&mut self, caller: &Caller, id: &RouteTableId) -> RouteTableView {
        let answer = self.ask(caller, Request::DescribeRouteTables(Describe::ids([id]))).unwrap();
        answer.route_tables().unwrap().items.remove(0)
    }

    pub fn main_table(&self, vpc: &VpcId) -> RouteTableId {
        self.world.main_table(vpc).unwrap()
    }
}

pub fn accept(id: &PeeringId) -> Request {
    Request::AcceptVpcPeeringConnection { peering_id: id.into() }
}

pub fn reject(id: &PeeringId) -> Request {
    Request::RejectVpcPeeringConnection { peering_id: id.into() }
}

pub fn delete(id: &PeeringId) -> Request {
    Request::DeleteVpcPeeringConnection { peering_id: id.into() }
}

pub fn create(from: &VpcId, to: &VpcId, owner: &str, region: &str) -> Request {
    Request::CreateVpcPeeringConnection(CreatePeering {
        vpc_id: from.into(),
        peer_vpc_id: to.into(),
        peer_owner_id: Some(owner.to_owned()),
        peer_region: Some(region.to_owned()),
        tags: Tags::new(),
    })
}
