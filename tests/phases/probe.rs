//! The plugin that does what its settings say.

use serde_json::{Value, json};

use crate::{component::COMPONENT, proxy::Scene};

impl Scene {
    /// The same with a probe at the end of its chain that asks for this and does that.
    pub fn probe(self, interests: &Value, settings: &Value) -> Self {
        self.named_probe("probe", interests, settings)
    }

    /// The same, called otherwise.
    pub fn named_probe(self, name: &str, interests: &Value, settings: &Value) -> Self {
        let manifest = json!({ "name": name, "interests": interests }).to_string();
        let mut component = COMPONENT.clone();
        component.extend(custom_section("dockgate:manifest", manifest.as_bytes()));
        let grants = [format!("{name}=look-ups"), format!("{name}=clock")];
        self.with_settings(&format!("{name}.wasm"), &component, &settings.to_string())
            .arguments(&["--grant", &grants[0], "--grant", &grants[1]])
    }
}

/// A custom section (core specification, 5.5.3).
fn custom_section(name: &str, content: &[u8]) -> Vec<u8> {
    let name = [&leb128(name.len())[..], name.as_bytes()].concat();
    [&[0], &leb128(name.len() + content.len())[..], &name, content].concat()
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        bytes.push(if number == 0 { byte } else { byte | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}
