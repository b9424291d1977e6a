//! The front of a pipeline for any URI. As playbin does, it follows the pads that come, go and
//! change in the middle, and selects one of the audio tracks that are there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gst::glib;
use gst::prelude::*;

use super::extent::{self, Extent};
use super::pads::{has_class, is_audio, is_flagged, is_video, must_decode, name};
use super::tracks::{Track, Tracks};

/// Name of the element that reads and decodes.
pub const NAME: &str = "volcasr-source";
/// Name of the message about the selected track; its field `text` is a line.
pub const TRACK: &str = "volcasr-track";
/// Name of the message that a track is missing; its field `text` says which, and why.
pub const UNHEARD: &str = "volcasr-unheard";

/// Elements that receive what a source gives.
pub struct Targets {
    /// Receives the audio track that is selected.
    pub sound: gst::Element,
    /// Receives the first video track, which is not decoded otherwise. With it, the source reports
    /// what prevents a picture; without it, what prevents sound.
    pub picture: Option<gst::Element>,
}

/// Follows the pads of one source.
struct Follower {
    bin: glib::WeakRef<gst::Bin>,
    targets: Targets,
    extent: Arc<Extent>,
    state: Mutex<State>,
    group: AtomicU32,
}

#[derive(Default)]
struct State {
    tracks: Tracks,
    next: u32,
    pads: Vec<Known>,
    /// Sound, or a picture, for which no decoder is there.
    undecoded: Option<String>,
}

struct Known {
    pad: gst::Pad,
    /// Number of the track; `None`: it is no audio.
    track: Option<u32>,
    /// Sink for a track that is not selected.
    drain: Option<gst::Element>,
}

/// Adds a source for `uri`, which feeds `targets`.
pub fn add(
    bin: &gst::Bin,
    uri: &str,
    targets: Targets,
    wanted: Option<u32>,
    extent: &Arc<Extent>,
) -> Result<(), glib::BoolError> {
    let with_video = targets.picture.is_some();
    // Pictures are drawn on in the machine's own memory.
    let source = gst::ElementFactory::make("uridecodebin")
        .name(NAME)
        .property("uri", uri)
        .property("force-sw-decoders", with_video)
        .build()?;
    let follower = Arc::new(Follower {
        bin: bin.downgrade(),
        targets,
        extent: extent.clone(),
        state: Mutex::new(State {
            tracks: Tracks::new(wanted),
            ..State::default()
        }),
        group: AtomicU32::new(0),
    });
    let own = follower.clone();
    source.connect_pad_added(move |_, pad| own.pad_added(pad));
    let own = follower.clone();
    source.connect_pad_removed(move |_, pad| own.pad_removed(pad));
    let own = follower.clone();
    source.connect_no_more_pads(move |_| own.group_complete());
    source.connect("autoplug-continue", false, move |values| {
        let pad = values.get(1)?.get::<gst::Pad>().ok()?;
        let caps = values.get(2)?.get::<gst::Caps>().ok()?;
        Some(must_decode(&pad, &caps, with_video).to_value())
    });
    let own = follower;
    source.connect("unknown-type", false, move |values| {
        if let Some(Ok(caps)) = values.get(2).map(|value| value.get::<gst::Caps>()) {
            own.unknown(&caps);
        }
        None
    });
    note_beginnings(&source, extent);
    bin.add(&source)
}

impl Follower {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pad_added(&self, pad: &gst::Pad) {
        let track = is_audio(pad).then(|| Track {
            is_default: is_flagged(pad),
            name: name(pad),
            ..Track::default()
        });
        watch_end(pad, &self.extent);
        let choice = {
            let mut state = self.state();
            let id = state.next;
            state.next += 1;
            let number = track.is_some().then_some(id);
            state.pads.push(Known {
                pad: pad.clone(),
                track: number,
                drain: None,
            });
            track.and_then(|track| {
                state.tracks.add(Track {
                    id,
                    group: self.group.load(Ordering::Relaxed),
                    ..track
                })
            })
        };
        self.select(choice);
        self.show(pad);
        self.drain_others();
    }

    fn pad_removed(&self, pad: &gst::Pad) {
        let (drain, choice) = {
            let mut state = self.state();
            let Some(place) = state.pads.iter().position(|known| known.pad == *pad) else {
                return;
            };
            let known = state.pads.remove(place);
            let choice = known.track.and_then(|id| state.tracks.remove(id));
            (known.drain, choice)
        };
        if let Some(drain) = drain {
            self.discard(&drain);
        }
        self.select(choice);
    }

    /// All pads that belong together are there.
    fn group_complete(&self) {
        self.name_tracks();
        let first = self.group.fetch_add(1, Ordering::Relaxed) == 0;
        let (note, missing) = {
            let state = self.state();
            let has_audio = state.pads.iter().any(|known| known.track.is_some());
            let missing = match state.tracks.check() {
                _ if self.targets.picture.is_some() => self.missing_picture(&state),
                _ if !has_audio && state.undecoded.is_some() => state.undecoded.clone(),
                _ if !has_audio => Some("the input has no sound".to_owned()),
                Err(missing) => Some(format!(
                    "the input has no audio track {}: it has {}",
                    missing.wanted, missing.count
                )),
                Ok(()) => None,
            };
            (state.tracks.note(), missing)
        };
        // A later group without sound may be followed by one with it.
        match missing {
            Some(text) if first => self.post(UNHEARD, &text),
            _ => (),
        }
        if let Some(text) = note.filter(|_| self.targets.picture.is_none()) {
            self.post(TRACK, &text);
        }
    }

    /// Returns why nothing goes to the element for the picture.
    fn missing_picture(&self, state: &State) -> Option<String> {
        let sink = self.targets.picture.as_ref()?.static_pad("sink")?;
        let none = || "the input has no picture to burn captions into".to_owned();
        (!sink.is_linked()).then(|| state.undecoded.clone().unwrap_or_else(none))
    }

    /// Titles may come after the pads.
    fn name_tracks(&self) {
        let named: Vec<(u32, String)> = {
            let state = self.state();
            let pads = state.pads.iter();
            pads.filter_map(|known| Some((known.track?, name(&known.pad))))
                .collect()
        };
        let mut state = self.state();
        for (id, name) in named {
            state.tracks.rename(id, name);
        }
    }

    fn unknown(&self, caps: &gst::Caps) {
        let (prefix, what) = match self.targets.picture {
            Some(_) => ("video/", "picture"),
            None => ("audio/", "sound"),
        };
        let Some(structure) = caps.structure(0).filter(|s| s.name().starts_with(prefix)) else {
            return;
        };
        let text = format!(
            "there is no decoder for its {what} ({}); on Debian and Ubuntu gstreamer1.0-libav and \
             gstreamer1.0-plugins-bad have most",
            structure.name()
        );
        self.state().undecoded.get_or_insert(text);
    }

    /// Links the track of this number to its target, and unlinks the one before it.
    fn select(&self, choice: Option<u32>) {
        let Some(id) = choice else {
            return;
        };
        let found = {
            let mut state = self.state();
            let found = state.pads.iter_mut().find(|known| known.track == Some(id));
            found.map(|known| (known.pad.clone(), known.drain.take()))
        };
        let (Some((pad, drain)), Some(sink)) = (found, self.targets.sound.static_pad("sink"))
        else {
            return;
        };
        if let Some(before) = sink.peer() {
            // It may be gone on its own meanwhile.
            let _ = before.unlink(&sink);
        }
        if let Some(drain) = drain {
            if let Some(sink) = pad.peer() {
                let _ = pad.unlink(&sink);
            }
            self.discard(&drain);
        }
        if let Err(error) = pad.link(&sink) {
            self.post(UNHEARD, &format!("its sound can't be linked: {error}"));
        }
        self.drain_others();
    }

    /// Links a first picture to its target.
    fn show(&self, pad: &gst::Pad) {
        let Some(picture) = self.targets.picture.as_ref().filter(|_| is_video(pad)) else {
            return;
        };
        let sink = picture.static_pad("sink").filter(|sink| !sink.is_linked());
        if let Some(Err(error)) = sink.map(|sink| pad.link(&sink)) {
            self.post(UNHEARD, &format!("its picture can't be linked: {error}"));
        }
    }

    /// Drains the tracks that are not selected: a pad without a link fails its source.
    fn drain_others(&self) {
        let open: Vec<gst::Pad> = {
            let state = self.state();
            let pads = state.pads.iter().map(|known| &known.pad);
            pads.filter(|pad| !pad.is_linked()).cloned().collect()
        };
        for pad in open {
            if let Some(drain) = self.drain(&pad) {
                let mut state = self.state();
                if let Some(known) = state.pads.iter_mut().find(|known| known.pad == pad) {
                    known.drain = Some(drain);
                }
            }
        }
    }

    fn drain(&self, pad: &gst::Pad) -> Option<gst::Element> {
        let bin = self.bin.upgrade()?;
        let drain = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .property("async", false)
            .property("enable-last-sample", false)
            .build()
            .ok()?;
        // The end of the stream is that of the selected track.
        drain.unset_element_flags(gst::ElementFlags::SINK);
        bin.add(&drain).ok()?;
        drain.sync_state_with_parent().ok()?;
        pad.link(&drain.static_pad("sink")?).ok()?;
        Some(drain)
    }

    fn discard(&self, drain: &gst::Element) {
        if let Some(bin) = self.bin.upgrade() {
            // Neither fails for an element that is going away.
            let _ = bin.remove(drain);
        }
        let _ = drain.set_state(gst::State::Null);
    }

    fn post(&self, name: &str, text: &str) {
        if let Some(bin) = self.bin.upgrade() {
            let structure = gst::Structure::builder(name).field("text", text).build();
            let message = gst::message::Application::builder(structure).src(&bin);
            // It fails for a bin without a bus only.
            let _ = bin.post_message(message.build());
        }
    }
}

/// Notes where the input's first samples are: those of its video count as well.
fn note_beginnings(source: &gst::Element, extent: &Arc<Extent>) {
    let Some(bin) = source.downcast_ref::<gst::Bin>() else {
        return;
    };
    let extent = extent.clone();
    bin.connect_deep_element_added(move |_, _, element| {
        if has_class(element, "Demux") {
            for pad in element.src_pads() {
                watch_begin(&pad, &extent);
            }
            let extent = extent.clone();
            element.connect_pad_added(move |_, pad| watch_begin(pad, &extent));
        }
    });
}

fn watch_begin(pad: &gst::Pad, extent: &Arc<Extent>) {
    if pad.direction() != gst::PadDirection::Src {
        return;
    }
    let extent = extent.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        match info.buffer().and_then(|buffer| extent::place(pad, buffer)) {
            Some((begin, _)) => {
                extent.begins_at(begin);
                gst::PadProbeReturn::Remove
            }
            None => gst::PadProbeReturn::Ok,
        }
    });
}

fn watch_end(pad: &gst::Pad, extent: &Arc<Extent>) {
    let extent = extent.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some((_, end)) = info.buffer().and_then(|buffer| extent::place(pad, buffer)) {
            extent.reaches(end);
        }
        gst::PadProbeReturn::Ok
    });
}
