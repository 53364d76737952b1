//! Rules taken together.
