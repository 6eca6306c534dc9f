use super::*;

#[test]
fn a_service_account_is_named_as_the_api_server_does() {
    let account: ServiceAccount = "a/b".parse().unwrap();
    assert_eq!(account.user(), "system:serviceaccount:a:b");
    for wrong in ["a", "a/", "/b", "a/b/c"] {
        assert!(wrong.parse::<ServiceAccount>().is_err(), "{wrong}");
    }
}
