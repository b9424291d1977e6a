//! Credentials, from properties and variables.

use super::*;

/// An app key, an access key and an API key, as properties and as variables; and what is sent, or
/// the property that is named and the problem.
#[test]
fn properties_beat_variables_and_the_api_key_beats_the_pair() {
    let none = ["", "", ""];
    let pair = ["app-v", "access-v", ""];
    let all = ["app-v", "access-v", "api-v"];
    let nothing = "no credentials: set VOLCENGINE_API_KEY (new console) or VOLCENGINE_APP_ID and \
                   VOLCENGINE_ACCESS_KEY (old console) in the environment, or the properties \
                   api-key, or app-key and access-key";
    let no_app = "missing: set it, or VOLCENGINE_APP_ID in the environment";
    let no_access = "missing: set it, or VOLCENGINE_ACCESS_KEY in the environment";
    for (properties, variables, expected) in [
        (["app", "access", ""], none, Ok("app access")),
        (["", "", "api"], none, Ok("api")),
        (["app", "access", "api"], none, Ok("api")),
        (none, pair, Ok("app-v access-v")),
        (none, all, Ok("api-v")),
        // A property beats all variables.
        (["app", "access", ""], all, Ok("app access")),
        (["", "", "api"], all, Ok("api")),
        // Half a pair is completed.
        (["app", "", ""], all, Ok("app access-v")),
        (["", "access", ""], all, Ok("app-v access")),
        // A stray half beside an API key does not matter.
        (["app", "", "api"], none, Ok("api")),
        (none, ["app-v", "", "api-v"], Ok("api-v")),
        // Blanks around a copied key are cut off, and a key of blanks alone is not set.
        (["", "", " api\n"], none, Ok("api")),
        (["", "", " "], pair, Ok("app-v access-v")),
        // The property that is missing is named.
        (none, none, Err(("api-key", nothing))),
        (["a", "", ""], none, Err(("access-key", no_access))),
        (["", "a", ""], none, Err(("app-key", no_app))),
        (none, ["a", "", ""], Err(("access-key", no_access))),
        (none, ["", "a", ""], Err(("app-key", no_app))),
        // A property of the pair is set, so the variable of the API key is not meant.
        (["a", "", ""], ["", "", "b"], Err(("access-key", no_access))),
    ] {
        let [app, access, api] = properties.map(|value| value.to_value());
        let settings = settings(&[("app-key", app), ("access-key", access), ("api-key", api)]);
        let [app, access, api] = variables;
        let found = settings.credentials(&environment(app, access, api));
        let found = found.map(|credentials| credentials.parts().join(" "));
        let expected = expected
            .map(str::to_owned)
            .map_err(|(property, problem)| SettingsError::new(property, problem));
        assert_eq!(found, expected, "{properties:?} {variables:?}");
    }
}

#[test]
fn a_key_that_would_end_its_header_is_refused_and_not_repeated() {
    for name in ["app-key", "access-key", "api-key"] {
        let properties = [
            ("app-key", "app".to_value()),
            ("access-key", "access".to_value()),
            (name, "se\r\ncret: x".to_value()),
        ];
        let error = settings(&properties)
            .credentials(&Environment::default())
            .expect_err("it can't be sent");
        assert_eq!(error.property, name);
        assert!(!error.to_string().contains("cret"), "{error}");
    }
}
