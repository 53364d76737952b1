//! The fictional pets resource of the quickstart: stable, small and pleasant to read.

/// (name, kind, age in years, price in whole currency units).
const PETS: [(&str, &str, u8, u16); 6] = [
    ("Miso", "cat", 3, 249),
    ("Biscuit", "dog", 5, 315),
    ("Captain Finn", "goldfish", 1, 9),
    ("Juniper", "rabbit", 2, 45),
    ("Professor Hoot", "owl", 7, 480),
    ("Pebble", "tortoise", 41, 130),
];

/// The whole list, one pet a line.
pub fn list() -> String {
    let pets: Vec<String> = (1..=PETS.len()).filter_map(pet).collect();
    format!("[\n  {}\n]\n", pets.join(",\n  "))
}

/// One pet by its number, counted from 1.
pub fn one(id: &str) -> Option<String> {
    id.parse().ok().and_then(pet).map(|pet| pet + "\n")
}

fn pet(id: usize) -> Option<String> {
    let (name, kind, age, price) = PETS.get(id.checked_sub(1)?)?;
    Some(format!(
        r#"{{"id": {id}, "name": "{name}", "kind": "{kind}", "age": {age}, "price": {price}}}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pets_are_json() {
        let pets: serde_json::Value = serde_json::from_str(&list()).unwrap();
        assert_eq!(pets[1]["name"], "Biscuit");
        let pet: serde_json::Value = serde_json::from_str(&one("3").unwrap()).unwrap();
        assert_eq!(pet["kind"], "goldfish");
        for id in ["0", "7", "x", "-1"] {
            assert_eq!(one(id), None);
        }
    }
}
