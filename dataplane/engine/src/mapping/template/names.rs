//! Names of methods and properties that values have.

/// Declares an enum with the names it is read from.
macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $kind {
            $($variant,)*
            /// Any other name.
            Other,
        }

        impl $kind {
            pub(super) fn of(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

names! {
    /// A method. A name that no value has leads to nothing, as in Velocity.
    Method {
        Add = "add", AddAll = "addAll", Base64Decode = "base64Decode", Base64Encode = "base64Encode", BooleanValue = "booleanValue",
        CharAt = "charAt", Clear = "clear", CompareTo = "compareTo", CompareToIgnoreCase = "compareToIgnoreCase", Concat = "concat",
        Contains = "contains", ContainsAll = "containsAll", ContainsKey = "containsKey", ContainsValue = "containsValue",
        DoubleValue = "doubleValue", EndsWith = "endsWith", EntrySet = "entrySet", Equals = "equals",
        EqualsIgnoreCase = "equalsIgnoreCase", EscapeJavaScript = "escapeJavaScript", FloatValue = "floatValue", Get = "get",
        GetBody = "getBody", GetCount = "getCount", GetHasNext = "getHasNext", GetIndex = "getIndex", GetKey = "getKey",
        GetOrDefault = "getOrDefault", GetValue = "getValue", HasNext = "hasNext", HashCode = "hashCode", IndexOf = "indexOf",
        IntValue = "intValue", IsEmpty = "isEmpty", Json = "json", KeySet = "keySet", LastIndexOf = "lastIndexOf", Length = "length",
        LongValue = "longValue", Matches = "matches", Params = "params", ParseDouble = "parseDouble", ParseInt = "parseInt",
        ParseJson = "parseJson", ParseLong = "parseLong", ParseXml = "parseXml", Path = "path", Put = "put", PutAll = "putAll", PutIfAbsent = "putIfAbsent",
        Remove = "remove", Replace = "replace", ReplaceAll = "replaceAll", ReplaceFirst = "replaceFirst", Set = "set", SetValue = "setValue",
        Size = "size", Split = "split", StartsWith = "startsWith", Stop = "stop", SubList = "subList", Substring = "substring",
        ToJson = "toJson", ToLowerCase = "toLowerCase", ToString = "toString", ToUpperCase = "toUpperCase", ToXml = "toXml", Trim = "trim", UrlDecode = "urlDecode",
        UrlEncode = "urlEncode", ValueOf = "valueOf", Values = "values",
    }
}

names! {
    /// A property of a value that is no map.
    Property {
        Body = "body", Count = "count", Empty = "empty", First = "first", HasNext = "hasNext", Index = "index", Key = "key", Last = "last",
        Parent = "parent", Topmost = "topmost", Value = "value",
    }
}
