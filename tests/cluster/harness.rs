//! The harness itself: a test that passes because its control plane was never there proves nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use crate::support::{
    Aws, ControlPlane, CutProxy, Ec2sim, Fault, Moto, OWN_ACCOUNT, Operator, eventually, is_running,
};

const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

#[tokio::test(flavor = "multi_thread")]
async fn control_plane_survives_outages_and_leaves_nothing_behind() {
    let mut cluster = ControlPlane::start();
    assert!(cluster.kubectl_ok(&["version"]).contains("Server Version: v1."));
    cluster.apply_ok("{apiVersion: v1, kind: Namespace, metadata: {name: kept}}");

    cluster.stop_etcd();
    let refused = cluster.kubectl(&["create", "namespace", "refused", "--request-timeout=2s"]);
    assert!(!refused.status.success(), "without etcd nothing can be stored");
    cluster.start_etcd();
    eventually("writes to work again", Duration::from_secs(30), || {
        let created = cluster.kubectl(&["create", "namespace", "after-etcd", "--request-timeout=5s"]);
        created.status.success().then_some(()).ok_or(String::from_utf8_lossy(&created.stderr).into_owned())
    });

    let address = cluster.address();
    cluster.stop_apiserver();
    assert!(std::net::TcpStream::connect(address).is_err(), "stopped, nobody listens");
    cluster.start_apiserver();
    assert_eq!(cluster.address(), address);
    let namespaces: Api<Namespace> = Api::all(cluster.client().await);
    let kept = namespaces.get("kept").await.expect("what was stored before the outages is still there");
    assert_eq!(kept.metadata.name.as_deref(), Some("kept"));

    let (pids, helper, dir) = (cluster.pids(), cluster.helper_pid(), cluster.dir().to_path_buf());
    assert!(pids.contains_key("etcd") && pids.contains_key("apiserver"));
    assert!(pids.values().all(|pid| is_running(*pid)), "{pids:?}");
    drop(cluster);
    assert!(!is_running(helper) && pids.values().all(|pid| !is_running(*pid)), "{pids:?}");
    assert!(!dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_namespaces_end() {
    let cluster = ControlPlane::start();
    cluster.require_controller_manager();
    cluster.apply_ok("{apiVersion: v1, kind: Namespace, metadata: {name: doomed}}");
    cluster.apply_ok("{apiVersion: v1, kind: ConfigMap, metadata: {name: content, namespace: doomed}}");
    cluster.kubectl_ok(&["delete", "namespace", "doomed", "--timeout=60s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_account_has_its_own_rights_alone() {
    let cluster = ControlPlane::start();
    cluster.apply_ok(
        "{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: default}}\n---\n\
         {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader, namespace: default}, \
          rules: [{apiGroups: [''], resources: [configmaps], verbs: [list]}]}\n---\n\
         {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reader, namespace: default}, \
          roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, \
          subjects: [{kind: ServiceAccount, name: reader, namespace: default}]}",
    );
    let kubeconfig = cluster.service_account_kubeconfig("default", "reader", cluster.address());
    let kubeconfig = kubeconfig.display().to_string();
    cluster.kubectl_ok(&["get", "configmaps", "--kubeconfig", &kubeconfig]);
    let refused = cluster.kubectl(&["get", "secrets", "--kubeconfig", &kubeconfig]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Forbidden"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_proxy_is_silent_and_heals() {
    let cluster = ControlPlane::start();
    let proxy = CutProxy::new(cluster.address());
    let through = cluster.kubeconfig_through(proxy.address()).display().to_string();
    let get = || cluster.kubectl(&["get", "namespaces", "--kubeconfig", &through, "--request-timeout=2s"]);
    assert!(get().status.success());

    proxy.cut();
    let asked = Instant::now();
    assert!(!get().status.success());
    assert!(
        asked.elapsed() >= Duration::from_secs(2),
        "nobody says no: the caller waits for its own timeout"
    );
    proxy.heal();
    assert!(get().status.success());
    proxy.sever();
    assert!(!get().status.success());
    cluster.kubectl_ok(&["get", "namespaces"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ec2sim_keeps_accounts_and_regions_apart() {
    let sim = Ec2sim::start();
    let endpoint = sim.clients().endpoint().to_owned();
    let address = endpoint.trim_start_matches("http://");
    std::net::TcpStream::connect(address).expect("somebody listens");
    accounts_and_regions_are_apart(Aws::Sim(sim)).await;
    assert!(std::net::TcpStream::connect(address).is_err(), "dropped, nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_keeps_accounts_and_regions_apart() {
    let moto = Moto::start();
    let pid = moto.pid();
    accounts_and_regions_are_apart(Aws::Moto(moto)).await;
    assert!(!is_running(pid));
}

async fn accounts_and_regions_are_apart(mut aws: Aws) {
    let ours = aws.ec2("111122223333", "eu-west-1").await;
    let created = ours.create_vpc().cidr_block("10.1.0.0/16").send().await.expect("a VPC is made");
    let id = created.vpc.and_then(|vpc| vpc.vpc_id).expect("it has an id");
    for (account, region, seen) in [
        ("111122223333", "eu-west-1", true),
        ("111122223333", "us-east-1", false),
        ("444455556666", "eu-west-1", false),
        (OWN_ACCOUNT, "eu-west-1", false),
    ] {
        let vpcs = aws.ec2(account, region).await.describe_vpcs().send().await.expect("VPCs are described");
        let found = vpcs.vpcs().iter().any(|vpc| vpc.vpc_id() == Some(&id));
        assert_eq!(found, seen, "{account} {region}");
    }
    assert_eq!(aws.calls().get("DescribeVpcs"), Some(&4));
    assert_eq!(aws.calls_of("444455556666").get("DescribeVpcs"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn ec2sim_refuses_holds_and_loses_on_request() {
    refused_held_and_lost(Aws::Sim(Ec2sim::start())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_refuses_holds_and_loses_on_request() {
    refused_held_and_lost(Aws::Moto(Moto::start())).await;
}

async fn refused_held_and_lost(mut aws: Aws) {
    let ec2 = aws.ec2("111122223333", "eu-west-1").await;
    let other = aws.ec2("444455556666", "eu-west-1").await;

    let fault = Fault { account: Some("111122223333"), times: Some(1), ..Fault::of("DescribeVpcs") };
    aws.refuse(fault, "UnauthorizedOperation");
    other.describe_vpcs().send().await.expect("the other account is let through");
    let refused = ec2.describe_vpcs().send().await.expect_err("this one is refused");
    assert_eq!(refused.into_service_error().meta().code(), Some("UnauthorizedOperation"));
    ec2.describe_vpcs().send().await.expect("once only");

    let before = ec2.describe_vpcs().send().await.expect("described").vpcs().len();
    aws.drop_answer(Fault { times: Some(1), ..Fault::of("CreateVpc") });
    let once =
        aws_sdk_ec2::config::Builder::new().retry_config(aws_sdk_ec2::config::retry::RetryConfig::disabled());
    let lost = ec2.create_vpc().cidr_block("10.2.0.0/16").customize().config_override(once).send().await;
    assert!(lost.is_err(), "the answer is lost");
    assert_eq!(
        ec2.describe_vpcs().send().await.expect("described").vpcs().len(),
        before + 1,
        "the act is not"
    );

    aws.hold(Fault::of("DescribeVpcs"));
    let held = tokio::spawn(ec2.describe_vpcs().send());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!held.is_finished());
    aws.mend();
    held.await.expect("no panic").expect("released, it is carried out");
}

#[test]
fn operator_processes_are_signalled_awaited_and_never_left() {
    let shell = |script: &str| ["sh", "-c", script].map(String::from);
    let env = [("GREETING".to_string(), "hello".to_string())];
    let mut ended = Operator::run(&shell("echo $GREETING; exit 7"), &env, NOBODY);
    assert_eq!(ended.wait(Duration::from_secs(5)), 7);
    assert_eq!(ended.log(), "hello\n");

    let mut killed = Operator::run(&shell("exec sleep 600"), &[], NOBODY);
    assert_eq!(killed.exited(), None);
    killed.kill();
    assert_eq!(killed.exited(), Some(-9));
    assert!(!is_running(killed.pid()));

    let dropped = Operator::run(&shell("trap '' TERM; exec sleep 600"), &[], NOBODY);
    let pid = dropped.pid();
    assert!(is_running(pid));
    drop(dropped);
    assert!(!is_running(pid));
}
