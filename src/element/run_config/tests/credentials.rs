//! Credentials, from properties and variables.

use super::*;

/// The credentials that an app key, an access key and an API key make, as properties and as
/// variables: those that are sent.
fn used(properties: [&str; 3], [app, access, api]: [&str; 3]) -> Result<String, SettingsError> {
    let names = ["app-key", "access-key", "api-key"].into_iter();
    let properties = properties.map(|value| value.to_value());
    let properties: Vec<_> = names.zip(properties).collect();
    let credentials = settings(&properties).credentials(&environment(app, access, api))?;
    Ok(credentials.parts().join(" "))
}

#[test]
fn properties_beat_variables_and_the_api_key_beats_the_pair() {
    let none = ["", "", ""];
    let pair = ["app-v", "access-v", ""];
    let all = ["app-v", "access-v", "api-v"];
    for (properties, variables, expected) in [
        (["app", "access", ""], none, "app access"),
        (["", "", "api"], none, "api"),
        (["app", "access", "api"], none, "api"),
        (none, pair, "app-v access-v"),
        (none, all, "api-v"),
        // A property beats all variables.
        (["app", "access", ""], all, "app access"),
        (["", "", "api"], all, "api"),
        // Half a pair is completed.
        (["app", "", ""], all, "app access-v"),
        (["", "access", ""], all, "app-v access"),
        // A stray half beside an API key does not matter.
        (["app", "", "api"], none, "api"),
        (none, ["app-v", "", "api-v"], "api-v"),
        // Blanks around a copied key are cut off, and a key of blanks alone is not set.
        (["", "", " api\n"], none, "api"),
        (["", "", " "], pair, "app-v access-v"),
    ] {
        let found = used(properties, variables).expect("credentials");
        assert_eq!(found, expected, "{properties:?} {variables:?}");
    }
}

#[test]
fn missing_credentials_are_named() {
    let none = ["", "", ""];
    let all = "no credentials: set VOLCENGINE_API_KEY (new console) or VOLCENGINE_APP_ID and \
               VOLCENGINE_ACCESS_KEY (old console) in the environment, or the properties api-key, \
               or app-key and access-key";
    let app = "missing: set it, or VOLCENGINE_APP_ID in the environment";
    let access = "missing: set it, or VOLCENGINE_ACCESS_KEY in the environment";
    for (properties, variables, property, problem) in [
        (none, none, "api-key", all),
        (["a", "", ""], none, "access-key", access),
        (["", "a", ""], none, "app-key", app),
        (none, ["a", "", ""], "access-key", access),
        (none, ["", "a", ""], "app-key", app),
        // A property of the pair is set, so the variable of the API key is not meant.
        (["a", "", ""], ["", "", "b"], "access-key", access),
    ] {
        let error = used(properties, variables).expect_err("something is missing");
        assert_eq!(
            (error.property, error.problem.as_str()),
            (property, problem)
        );
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
