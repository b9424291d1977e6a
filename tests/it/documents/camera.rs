//! A camera with a microphone, as far as the network can tell: an RTSP server on 127.0.0.1.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const SERVER: &str = r#"
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch("( audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=1 ! opusenc ! rtpopuspay name=pay0 )")
server.get_mount_points().add_factory("/stream", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"#;

/// The server; ended when dropped.
pub struct Camera {
    child: Child,
    port: u16,
}

impl Camera {
    /// Whether this machine has what it takes.
    pub fn can_be_had() -> bool {
        let imports = "import gi\ngi.require_version('GstRtspServer', '1.0')\nfrom gi.repository import GstRtspServer";
        let tried = Command::new("/usr/bin/python3")
            .args(["-c", imports])
            .output();
        tried.is_ok_and(|output| output.status.success())
    }

    pub fn start() -> Self {
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", SERVER])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Camera { child, port }
    }

    pub fn uri(&self) -> String {
        format!("rtsp://127.0.0.1:{}/stream", self.port)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
