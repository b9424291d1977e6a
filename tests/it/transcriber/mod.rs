//! `volcasrtranscriber`: text on a pad, and everything that goes with it.

mod words;
