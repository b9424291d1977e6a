/* Prints what is said: interim words rewritten in place, final ones kept.
 *
 *   transcribe                       the default microphone, until Ctrl-C
 *   transcribe talk.mp3              a file, or a URI
 *   transcribe audiotestsrc ! ...    any piece of a launch line that gives audio
 *   transcribe -                     samples from standard input: 16-bit mono at 16 kHz
 *
 * Build it with
 *
 *   cc transcribe.c -o transcribe $(pkg-config --cflags --libs gstreamer-1.0 gstreamer-app-1.0)
 *
 * It needs the plugin where GStreamer finds it (GST_PLUGIN_PATH). Credentials and, if it is not to
 * be the default, the service's address come from the environment: VOLCENGINE_APP_ID and
 * VOLCENGINE_ACCESS_KEY or VOLCENGINE_API_KEY, and VOLCASR_URI.
 */

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#ifdef G_OS_UNIX
#include <glib-unix.h>
#include <sys/ioctl.h>
#include <unistd.h>
#endif

#define RATE 16000

typedef struct {
  GMainLoop *loop;
  GstElement *pipeline;
  gboolean failed;
} App;

#ifdef G_OS_UNIX
/* The end of a text, as much as fits: what is wider than a line can't be erased as one. */
static const gchar *
tail (const gchar * text)
{
  struct winsize size = { 0, 0, 0, 0 };
  const gchar *start = text + strlen (text);
  guint columns;

  ioctl (STDOUT_FILENO, TIOCGWINSZ, &size);
  columns = size.ws_col > 1 ? size.ws_col - 1 : 79;
  while (start > text) {
    const gchar *before = g_utf8_prev_char (start);
    /* A Chinese character takes two columns. */
    guint width = g_unichar_iswide (g_utf8_get_char (before)) ? 2 : 1;
    if (width > columns)
      break;
    columns -= width;
    start = before;
  }
  return start;
}
#endif

/* One transcript message. An interim one is replaced by the next; a final one stays. */
static void
show (const GstStructure * transcript)
{
  const gchar *text = gst_structure_get_string (transcript, "text");
  gboolean final = FALSE;

  gst_structure_get_boolean (transcript, "final", &final);
#ifdef G_OS_UNIX
  if (isatty (STDOUT_FILENO)) {
    /* Back to the line's start, and erase it: the text before can be longer. */
    printf ("\r\x1b[K");
    if (final && *text)
      printf ("%s\n", text);
    else if (!final)
      printf ("\x1b[2m%s\x1b[0m", tail (text));
    fflush (stdout);
    return;
  }
#endif
  if (final && *text)
    printf ("%s\n", text);
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer data)
{
  App *app = data;
  GError *error = NULL;

  (void) bus;
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT: {
      const GstStructure *structure = gst_message_get_structure (message);
      if (gst_structure_has_name (structure, "volcasr-transcript"))
        show (structure);
      break;
    }
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (message, &error, NULL);
      fprintf (stderr, "warning: %s\n", error->message);
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      /* The first error is the cause; later ones only follow it. */
      if (!app->failed)
        fprintf (stderr, "error: %s\n", error->message);
      app->failed = TRUE;
      g_main_loop_quit (app->loop);
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit (app->loop);
      break;
    default:
      break;
  }
  g_clear_error (&error);
  return G_SOURCE_CONTINUE;
}

/* A thread of the application that has samples: here from standard input. */
static gpointer
feed (gpointer data)
{
  GstAppSrc *source = data;
  gint16 samples[RATE / 10];
  guint64 count = 0;
  gsize n;

  while ((n = fread (samples, sizeof *samples, G_N_ELEMENTS (samples), stdin)) > 0) {
    GstBuffer *buffer = gst_buffer_new_memdup (samples, n * sizeof *samples);
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (count, GST_SECOND, RATE);
    GST_BUFFER_DURATION (buffer) = gst_util_uint64_scale (n, GST_SECOND, RATE);
    count += n;
    /* It waits while the pipeline is full (block=true), and fails when that stops. */
    if (gst_app_src_push_buffer (source, buffer) != GST_FLOW_OK)
      break;
  }
  gst_app_src_end_of_stream (source);
  gst_object_unref (source);
  return NULL;
}

#ifdef G_OS_UNIX
/* Ctrl-C ends the stream, not the program: the last words are still to come. A second one ends the
 * program. */
static gboolean
on_interrupt (gpointer data)
{
  App *app = data;

  gst_element_send_event (app->pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}
#endif

/* The part of the pipeline before the conversion; the caller frees it. */
static gchar *
describe_source (gchar ** args, GError ** error)
{
  GstElementFactory *factory;
  gchar *uri, *source;

  if (args[0] == NULL)
    return g_strdup ("autoaudiosrc");
  if (args[1] != NULL)
    return g_strjoinv (" ", args);
  if (strcmp (args[0], "-") == 0)
    return g_strdup_printf ("appsrc name=samples format=time block=true max-bytes=320000 "
        "caps=audio/x-raw,format=S16LE,layout=interleaved,rate=%d,channels=1", RATE);
  if (gst_uri_is_valid (args[0]))
    return g_strdup_printf ("uridecodebin uri=\"%s\"", args[0]);
  if (g_file_test (args[0], G_FILE_TEST_IS_REGULAR)) {
    uri = gst_filename_to_uri (args[0], error);
    source = uri ? g_strdup_printf ("uridecodebin uri=\"%s\"", uri) : NULL;
    g_free (uri);
    return source;
  }
  factory = gst_element_factory_find (args[0]);
  if (factory == NULL && strchr (args[0], ' ') == NULL) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
        "no such file, nor an element of that name: %s", args[0]);
    return NULL;
  }
  g_clear_object (&factory);
  return g_strdup (args[0]);
}

int
main (int argc, char **argv)
{
  App app = { NULL, NULL, FALSE };
  GError *error = NULL;
  GstElement *samples;
  GstBus *bus;
  gchar *source, *description;

  gst_init (&argc, &argv);
  source = describe_source (argv + 1, &error);
  if (source != NULL) {
    description = g_strdup_printf ("%s ! audioconvert ! audioresample ! volcasrsink", source);
    app.pipeline = gst_parse_launch (description, &error);
    g_free (description);
    g_free (source);
  }
  if (error != NULL) {
    fprintf (stderr, "error: %s\n", error->message);
    return 1;
  }
  app.loop = g_main_loop_new (NULL, FALSE);
  bus = gst_element_get_bus (app.pipeline);
  gst_bus_add_watch (bus, on_message, &app);
#ifdef G_OS_UNIX
  g_unix_signal_add (SIGINT, on_interrupt, &app);
#endif

  /* A failure is an error on the bus, which the loop reads. */
  gst_element_set_state (app.pipeline, GST_STATE_PLAYING);
  samples = gst_bin_get_by_name (GST_BIN (app.pipeline), "samples");
  if (samples != NULL)
    g_thread_unref (g_thread_new ("feed", feed, samples));
  g_main_loop_run (app.loop);

  gst_element_set_state (app.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  gst_object_unref (app.pipeline);
  g_main_loop_unref (app.loop);
  return app.failed ? 1 : 0;
}
