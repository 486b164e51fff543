quality_ui <- function(id, t) {
  ns <- NS(id)
  tagAppendAttributes(panels(
    panel_ui(ns("freshness"), t, "quality.freshness") |> wide(),
    panel_ui(ns("state"), t, "quality.state") |> wide(),
    panel_ui(ns("rejects"), t, "quality.rejects", 160), panel_ui(ns("warnings"), t, "quality.warnings", 160),
    panel_ui(ns("drift"), t, "quality.drift", 160), panel_ui(ns("bots"), t, "quality.bots", 160),
    panel_ui(ns("runs"), t, "quality.runs", table = FALSE) |> wide()
  ), class = "always")
}

quality_server <- function(id, context) {
  context$ready <- context$reachable # loads can be looked at before they bring the first event
  moduleServer(id, function(input, output, session) {
    zone <- function() context$state()["tz"]
    loads <- function() context$state()["loads"]
    # ages grow by the minute, so this one is not cached
    freshness <- context$read("quality_freshness", zone, cached = FALSE)
    panel_server("freshness", context, freshness, freshness_columns(context), words = draw_freshness(context))
    rejects <- context$read("quality_rejects", function() c(loads(), zone()))
    panel_server("rejects", context, rejects, reject_columns(context), plot_causes(context), unless("quality.no_rejects", context), none_found)
    warnings <- context$read("quality_warnings", loads)
    panel_server(
      "warnings", context, warnings, warning_columns(context), plot_warnings(context), unless("quality.no_warnings", context),
      none_found
    )
    state <- context$read("quality_state", zone, cached = FALSE)
    panel_server("state", context, state, state_columns(context), words = draw_state(context))
    drift <- context$read("quality_drift", loads)
    panel_server(
      "drift", context, drift, drift_columns(context), plot_drift(context), function(rows) {
        if (nrow(rows) == 0) hint(context$t(if (isTRUE(state()$checked > 0)) "quality.no_drift" else "quality.unchecked"))
      }, none_found
    )
    bots <- context$read("quality_bots", function() c(loads(), zone()))
    panel_server("bots", context, bots, bot_names(context), plot_bot_names(context), bot_share(context), none_found)
    runs <- context$read("quality_runs", function() c(loads(), zone()))
    panel_server("runs", context, runs, run_columns(context), words = function(rows) table_of(rows, run_columns(context), context$t))
  })
}

#' No reject and no warning is good news with words of its own, not a filter that matches nothing.
none_found <- function(rows) FALSE
unless <- function(key, context) function(rows) if (nrow(rows) == 0) notice(context$t(key), "good")

freshness_columns <- function(context) {
  time <- function(x) format_local_time(x, context$lang)
  list(
    column("newest_event", "quality.newest_event", time), column("newest_load", "quality.newest_load", time),
    column("next_due", "quality.next_due", time), column(
      "stale_hours", "quality.stale_hours", function(x) format_number(x, context$lang), TRUE
    )
  )
}

late_after <- 15 * 60

#' A figure with its name above it and a word below it.
tile_of <- function(t) function(name, text, hint, class = "tile") tags$div(
  class = class, tags$dt(t(name)), tags$dd(class = "big", text), tags$dd(class = "change", hint)
)

draw_freshness <- function(context) function(rows) {
  t <- context$t
  tile <- tile_of(t)
  ago <- function(age) if (is.na(age)) t("quality.never") else t("quality.ago", span = format_span(age, t))
  time <- function(x) format_local_time(x, context$lang)
  due <- if (is.na(rows$overdue)) {
    tile("quality.next_due", "\u2013", t("quality.unscheduled"))
  } else if (rows$overdue > late_after) {
    tile("quality.next_due", time(rows$next_due), t("quality.late", span = format_span(rows$overdue, t)), "tile late")
  } else {
    tile("quality.next_due", time(rows$next_due), t("quality.on_time"))
  }
  tagList(
    tags$dl(
      class = "tiles",
      tile("quality.newest_event", time(rows$newest_event), ago(rows$newest_event_age)),
      tile("quality.newest_load", time(rows$newest_load), ago(rows$newest_load_age)), due
    ),
    if (rows$stale_hours > 0) hint(t("quality.stale", n = format_number(rows$stale_hours, context$lang)))
  )
}

state_columns <- function(context) {
  time <- function(x) format_local_time(x, context$lang)
  share <- function(x) format_share(x, context$lang)
  list(
    column("swept", "quality.swept", time), column("host_at", "quality.host", time), column("data_used", "quality.disk", share, TRUE),
    column("memory_used", "quality.memory", share, TRUE), column("connections_used", "quality.connections", share, TRUE),
    column("backup", "quality.backup", time)
  )
}

draw_state <- function(context) function(rows) {
  t <- context$t
  tile <- tile_of(t)
  time <- function(x) format_local_time(x, context$lang)
  share <- function(x) format_share(x, context$lang, 0)
  ago <- function(age) if (is.na(age)) t("quality.never") else t("quality.ago", span = format_span(age, t))
  late <- function(is_late) if (isTRUE(is_late)) "tile late" else "tile"
  sweeping <- if (!is.na(rows$sweep_started)) t("quality.sweeping", time = time(rows$sweep_started))
  host <- if (is.na(rows$host_at)) list(tile("quality.host", "\u2013", t("quality.no_host"))) else list(
    tile("quality.host", time(rows$host_at), ago(rows$host_age), late(rows$host_age > 1800)),
    tile("quality.disk", share(rows$data_used), t("quality.root", share = share(rows$root_used)), late(rows$data_used > 0.8)),
    tile("quality.memory", share(rows$memory_used), t(
      "quality.load", load = format_number(rows$load, context$lang, 1), n = rows$processors
    ), late(rows$memory_used > 0.95)),
    tile("quality.connections", share(rows$connections_used), "", late(rows$connections_used > 0.8)),
    tile("quality.backup", time(rows$backup), ago(rows$backup_age), late(is.na(rows$backup_age) || rows$backup_age > 108000))
  )
  tagList(
    tags$dl(class = "tiles", tile("quality.swept", time(rows$swept), tagList(ago(rows$swept_age), " ", sweeping), late(rows$swept_age > 108000)), host),
    if (!is.na(rows$failed_units) && nzchar(rows$failed_units)) hint(tags$strong(class = "down", t("quality.units", names = rows$failed_units)))
  )
}

drift_columns <- function(context) {
  t <- context$t
  list(
    column("event_name", "event", function(x) data_labels(t, "event", x)), column("field", "field"),
    column("kind", "kind", function(x) data_labels(t, "kind", x)),
    column("events", "total.events", function(x) format_number(x, context$lang), TRUE)
  )
}

plot_drift <- function(context) function(rows) {
  if (nrow(rows) == 0) return(NULL)
  t <- context$t
  shown <- utils::head(rows, 12)
  labels <- paste0(data_labels(t, "event", shown$event_name), " \u00b7 ", shown$field, " \u00b7 ", data_labels(t, "kind", shown$kind))
  texts <- format_number(shown$events, context$lang)
  plot_bars(labels, shown$events, texts, t("groups.alt", title = t("quality.drift"), name = labels[1], value = texts[1]))
}

bot_names <- function(context) list(
  column("value", "quality.bot", function(x) ifelse(is.na(x), context$t("quality.bots.unnamed"), x)),
  column("sessions", "total.sessions", function(x) format_number(x, context$lang), TRUE)
)

plot_bot_names <- function(context) function(rows) {
  if (nrow(rows) == 0) return(NULL)
  t <- context$t
  shown <- utils::head(rows, 12)
  names <- ifelse(is.na(shown$value), t("quality.bots.unnamed"), shown$value)
  texts <- format_number(shown$sessions, context$lang)
  plot_bars(names, shown$sessions, texts, t("groups.alt", title = t("quality.bots"), name = names[1], value = texts[1]))
}

bot_share <- function(context) function(rows) {
  if (nrow(rows) == 0) return(notice(context$t("quality.no_bots"), "good"))
  share <- format_share(sum(rows$sessions) / rows$known[1], context$lang)
  hint(context$t("quality.bots.share", share = share, n = format_number(rows$known[1], context$lang)))
}

reject_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("cause", "cause", function(x) data_labels(context$t, "cause", x)), column(
      "rejects", "rejects", number, TRUE
    ),
    column("objects", "objects", number, TRUE), column(
      "newest", "newest", function(x) format_local_time(x, context$lang)
    )
  )
}

plot_causes <- function(context) function(rows) {
  if (nrow(rows) == 0) return(NULL)
  t <- context$t
  labels <- data_labels(t, "cause", rows$cause)
  texts <- format_number(rows$rejects, context$lang)
  plot_bars(labels, rows$rejects, texts, t("groups.alt", title = t("quality.rejects"), name = labels[1], value = texts[1]))
}

warning_columns <- function(context) {
  list(
    column("column_name", "column"), column("cause", "cause", function(x) data_labels(context$t, "repair", x)),
    column("warnings", "warnings", function(x) format_number(x, context$lang), TRUE)
  )
}

plot_warnings <- function(context) function(rows) {
  if (nrow(rows) == 0) return(NULL)
  t <- context$t
  shown <- utils::head(rows, 12)
  labels <- paste0(shown$column_name, " \u00b7 ", data_labels(t, "repair", shown$cause))
  texts <- format_number(shown$warnings, context$lang)
  plot_bars(labels, shown$warnings, texts, t("groups.alt", title = t("quality.warnings"), name = labels[1], value = texts[1]))
}

run_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("started", "started", function(x) format_local_time(x, context$lang)),
    column("trigger", "trigger", function(x) data_labels(context$t, "trigger", x)),
    column("status", "status", function(x) data_labels(context$t, "status", x)),
    column("read", "read", number, TRUE), column("inserted", "inserted", number, TRUE),
    column("duplicates", "duplicates", number, TRUE), column("rejected", "rejects", number, TRUE),
    column("seconds", "seconds", function(x) format_number(x, context$lang, 1), TRUE), column("error", "error")
  )
}
