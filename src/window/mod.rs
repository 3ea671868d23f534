//! Windows of outcomes.
