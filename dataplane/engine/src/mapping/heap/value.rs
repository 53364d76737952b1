//! What a heap holds: values and the handles in them.

/// A value of a template or of a JSON document.
///
/// What each kind holds is one integer of 64 bits, so that a value travels in two registers; that is a good part of how fast a
/// template renders.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// JSON's `null`, and what does not exist.
    Null,
    /// `true` or `false`.
    Bool(Truth),
    /// An integer of at most 64 bits.
    Int(i64),
    /// A number that was calculated.
    Float(Double),
    /// Any other number, as written in JSON: a fraction, an exponent, or more digits than an [`Int`](Self::Int) holds.
    Number(Text),
    /// Text, UTF-8.
    Text(Text),
    /// A list.
    List(ListId),
    /// A map in order of insertion.
    Map(MapId),
    /// A pair of a map, as `entrySet` gives it.
    Entry(EntryId),
    /// Something a template calls, but that is no data.
    Object(Object),
    /// `$foreach` of the loop at this depth.
    Loop(u64),
    /// What `#define` named: an index into the template's definitions.
    Block(u64),
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(if yes { Truth::True } else { Truth::False })
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(Double(number.to_bits()))
    }
}

/// A boolean as wide as all that values hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
#[allow(missing_docs)]
pub enum Truth {
    False,
    True,
}

impl Truth {
    /// As a boolean.
    pub fn holds(self) -> bool {
        self == Self::True
    }
}

/// A floating-point number, by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Double(u64);

impl Double {
    /// As a number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// What a template can call that is no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Object {
    /// `$input`
    Input,
    /// `$util`
    Util,
    /// `$context`, as long as nothing has been read of it.
    Context,
    /// `$stageVariables`, likewise.
    StageVariables,
}

/// Bytes in a heap, always whole characters: where they begin in the low 32 bits, how many there are above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(u64);

impl Text {
    /// No characters.
    pub(crate) const EMPTY: Self = Self(0);

    /// No text at all: equal to none that there is.
    pub(crate) const NOWHERE: Self = Self(u64::MAX);

    /// The text at a place that [`Heap::begin`] filled.
    #[inline]
    pub(crate) fn new(at: usize, len: usize) -> Self {
        Self(at as u64 & 0xffff_ffff | (len as u64) << 32)
    }

    /// Whether it has no characters.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many bytes it has.
    #[inline]
    pub fn len(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Where it stands.
    #[inline]
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let at = (self.0 & 0xffff_ffff) as usize;
        at..at + self.len()
    }

    /// A part of it, in bytes.
    pub(crate) fn part(self, from: usize, to: usize) -> Self {
        Self::new(self.range().start + from, to - from)
    }
}

/// A pair of a map in a heap: the map in the low 32 bits, the place above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(u64);

impl EntryId {
    pub(crate) fn new(map: MapId, place: usize) -> Self {
        Self(map.0 | (place as u64) << 32)
    }

    /// The map, and the place in it.
    pub(crate) fn parts(self) -> (MapId, usize) {
        (MapId(self.0 & 0xffff_ffff), (self.0 >> 32) as usize)
    }
}

/// A list in a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListId(pub(super) u64);

/// A map in a heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapId(pub(super) u64);

/// A key with its value.
pub(crate) type Pair = (Text, Value);
