//! `volcasrtranscriber`: text on a pad, and everything that goes with it.

mod life;
mod live;
mod parts;
mod words;
