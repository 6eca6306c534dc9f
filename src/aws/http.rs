//! The one HTTP client: for EC2, for STS and for whatever hands out credentials.

use std::path::PathBuf;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::base64;

use super::SetupError;

/// AWS's own variable for a bundle of certificates to trust instead of the system's.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// A client with ring as its only TLS provider. It goes through the proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and
/// NO_PROXY say, which the SDK's own default client ignores.
pub(super) fn client() -> Result<SharedHttpClient, SetupError> {
    let bundle = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let trust = match bundle {
        Some(path) => trust_only(path)?,
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| SetupError::new(format!("the TLS client can't be set up: {error}")))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|known| known.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    }))
}

fn trust_only(path: PathBuf) -> Result<TrustStore, SetupError> {
    let refuse = |why: String| {
        SetupError::new(format!(
            "{CA_BUNDLE} is {}, {why}; name a file of PEM certificates, or unset it",
            path.display()
        ))
    };
    let pem = std::fs::read(&path).map_err(|error| refuse(format!("which can't be read ({error})")))?;
    check_pem(&pem).map_err(|why| refuse(why.to_owned()))?;
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

/// The TLS provider panics on a bundle it can't read, at the first connection: find out now, and say which file it is.
fn check_pem(pem: &[u8]) -> Result<(), &'static str> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    /// ASN.1's mark of a SEQUENCE, which every certificate is.
    const SEQUENCE: u8 = 0x30;

    let text = std::str::from_utf8(pem).map_err(|_| "which is not text")?;
    let mut blocks = text.split(BEGIN).skip(1).peekable();
    blocks.peek().ok_or("which holds no certificate")?;
    for block in blocks {
        let (body, _) = block.split_once(END).ok_or("in which a certificate has no end")?;
        let packed: String = body.split_whitespace().collect();
        let der = base64::decode(packed).map_err(|_| "in which a certificate is not base64")?;
        if der.first() != Some(&SEQUENCE) {
            return Err("in which a certificate is not DER");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_pem;

    #[test]
    fn a_bundle_that_would_panic_later_is_refused_now() {
        let good = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(check_pem(format!("# a comment\n{good}{good}").as_bytes()), Ok(()));
        assert_eq!(check_pem(b""), Err("which holds no certificate"));
        assert_eq!(check_pem(&[0xff, 0xfe]), Err("which is not text"));
        let broken = good.replace("MAA=", "not base64!");
        assert_eq!(check_pem(broken.as_bytes()), Err("in which a certificate is not base64"));
        let hello = good.replace("MAA=", "aGVsbG8=");
        assert_eq!(check_pem(hello.as_bytes()), Err("in which a certificate is not DER"));
        let cut = good.replace("-----END CERTIFICATE-----", "");
        assert_eq!(check_pem(cut.as_bytes()), Err("in which a certificate has no end"));
    }
}
