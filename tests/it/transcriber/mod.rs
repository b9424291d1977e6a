//! `volcasrtranscriber`: text on a pad, and everything that goes with it.

mod consumers;
mod downstream;
mod inspect;
mod life;
mod live;
mod other_tools;
mod parts;
mod ready;
mod words;
