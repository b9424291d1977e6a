//! Credentials, from properties and variables.

use super::*;

fn pair(app_key: &str, access_key: &str) -> Result<Credentials, SettingsError> {
    Ok(Credentials::Pair {
        app_key: app_key.into(),
        access_key: access_key.into(),
    })
}

fn key(key: &str) -> Result<Credentials, SettingsError> {
    Ok(Credentials::Key(key.into()))
}

#[test]
fn properties_beat_variables_and_the_api_key_beats_the_pair() {
    let with = |app: &str, access: &str, api: &str| {
        settings(&[
            ("app-key", app.to_value()),
            ("access-key", access.to_value()),
            ("api-key", api.to_value()),
        ])
    };
    let none = environment("", "", "");
    let all = environment("app-v", "access-v", "api-v");
    let used = |settings: Settings, environment: &Environment| settings.credentials(environment);
    // Properties alone.
    assert_eq!(
        used(with("app", "access", ""), &none),
        pair("app", "access")
    );
    assert_eq!(used(with("", "", "api"), &none), key("api"));
    assert_eq!(used(with("app", "access", "api"), &none), key("api"));
    // Variables alone.
    let variables = environment("app-v", "access-v", "");
    assert_eq!(
        used(with("", "", ""), &variables),
        pair("app-v", "access-v")
    );
    assert_eq!(used(with("", "", ""), &all), key("api-v"));
    // A property beats all variables.
    assert_eq!(used(with("app", "access", ""), &all), pair("app", "access"));
    assert_eq!(used(with("", "", "api"), &all), key("api"));
    // Half a pair is completed.
    assert_eq!(used(with("app", "", ""), &all), pair("app", "access-v"));
    assert_eq!(used(with("", "access", ""), &all), pair("app-v", "access"));
    // A stray half beside an API key does not matter.
    assert_eq!(used(with("app", "", "api"), &none), key("api"));
    assert_eq!(
        used(with("", "", ""), &environment("app-v", "", "api-v")),
        key("api-v")
    );
    // Blanks around a copied key are cut off, and a key of blanks alone is not set.
    assert_eq!(used(with("", "", " api\n"), &none), key("api"));
    assert_eq!(
        used(with("", "", " "), &variables),
        pair("app-v", "access-v")
    );
}

#[test]
fn missing_credentials_are_named() {
    let missing = |app: Option<&str>, access: Option<&str>, environment: &Environment| {
        let settings = Settings {
            app_key: app.map(str::to_owned),
            access_key: access.map(str::to_owned),
            ..Settings::default()
        };
        settings
            .credentials(environment)
            .expect_err("something is missing")
    };
    let none = environment("", "", "");
    let error = missing(None, None, &none).to_string();
    for name in [
        "VOLCENGINE_APP_ID",
        "VOLCENGINE_ACCESS_KEY",
        "VOLCENGINE_API_KEY",
        "api-key",
        "app-key",
        "access-key",
    ] {
        assert!(error.contains(name), "{error}");
    }
    for (error, property, variable) in [
        (
            missing(Some("a"), None, &none),
            "access-key",
            "VOLCENGINE_ACCESS_KEY",
        ),
        (
            missing(None, Some("a"), &none),
            "app-key",
            "VOLCENGINE_APP_ID",
        ),
        (
            missing(None, None, &environment("a", "", "")),
            "access-key",
            "VOLCENGINE_ACCESS_KEY",
        ),
        (
            missing(None, None, &environment("", "a", "")),
            "app-key",
            "VOLCENGINE_APP_ID",
        ),
        // A property of the pair is set, so the variable of the API key is not meant.
        (
            missing(Some("a"), None, &environment("", "", "b")),
            "access-key",
            "VOLCENGINE_ACCESS_KEY",
        ),
    ] {
        assert_eq!(error.property, property);
        assert!(error.problem.contains(variable), "{error}");
    }
}

#[test]
fn a_key_that_would_end_its_header_is_refused_and_not_repeated() {
    for name in ["app-key", "access-key", "api-key"] {
        let mut properties = vec![
            ("app-key", "app".to_value()),
            ("access-key", "access".to_value()),
        ];
        properties.push((name, "se\r\ncret: x".to_value()));
        let error = settings(&properties)
            .credentials(&Environment::default())
            .expect_err("it can't be sent");
        assert_eq!(error.property, name);
        assert!(!error.to_string().contains("cret"), "{error}");
    }
}
