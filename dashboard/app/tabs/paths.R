paths_ui <- function(id, t) {
  ns <- NS(id)
  panels(
    panel_ui(ns("after"), t, "paths.after", 380) |> wide(), panel_ui(ns("before"), t, "paths.before", 380) |> wide(),
    panel_ui(ns("own"), t, "paths.own", 120) |> wide()
  )
}

#' The event that paths begin at, and the steps of the funnel of one's own, where none are chosen yet.
start_of <- function(state) if (nzchar(state$start)) state$start else "product_view"
own_steps_of <- function(state) {
  chosen <- Filter(nzchar, unlist(state[step_names], use.names = FALSE))
  if (length(chosen) == 0) c("product_view", "add_to_cart_click", "checkout_start", "checkout_complete") else chosen
}

paths_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    t <- context$t
    state <- context$state
    range <- function() state()[c("from", "to", "tz", "login")]
    number <- function(x) format_number(x, context$lang)
    ways <- context$read("paths", function() c(range(), start_of(state())))
    for (direction in c("after", "before")) local({
      side <- direction
      name <- function(x) ifelse(x == "(end)", t(paste0("paths.end.", side)), ifelse(x == "(others)", t("paths.others"), data_labels(t, "event", x)))
      columns <- list(
        column("step", "step", number = TRUE), column("source", "paths.source", name), column("target", paste0("paths.target.", side), name),
        column("sessions", "total.sessions", number, TRUE)
      )
      panel_server(
        side, context, reactive(ways()[ways()$direction == side, ]), columns, function(rows) plot_ways(rows, side, name, context),
        function(rows) tagList(hint(t("paths.note")), estimated(rows, context))
      )
    })
    own <- context$read("funnel_own", function() {
      steps <- own_steps_of(state())
      within <- state()$within
      c(range(), steps, rep("", length(step_names) - length(steps)), if (within == "session") "" else within)
    })
    event <- function(x) data_labels(t, "event", x)
    columns <- list(column("step", "step", number = TRUE), column("event_name", "event", event), column("reached", "own.reached", number, TRUE))
    panel_server("own", context, own, columns, function(rows) {
      last <- rows$reached[nrow(rows)] / rows$reached[1]
      plot_steps(
        paste0(rows$step, ". ", event(rows$event_name)), rows$reached, context,
        t("own.alt", n = number(rows$reached[1]), share = format_share(last, context$lang))
      )
    }, function(rows) tagList(hint(
      if (state()$within == "session") t("own.note.session") else t("own.note.days", span = t(paste0("within.", state()$within)))
    ), estimated(rows, context)), function(rows) rows$reached[1] == 0)
  })
}

#' Says so where not everyone was read.
estimated <- function(rows, context) if (rows$one_in[1] > 1) hint(context$t("estimated", n = rows$one_in[1]))

#' Links between the events of each step; a click on an event begins the paths there.
plot_ways <- function(rows, side, name, context) {
  t <- context$t
  share <- function(n) paste0(format_number(n, context$lang), " \u00b7 ", format_share(n / sum(rows$sessions[rows$step == 1]), context$lang))
  at <- function(step) if (side == "after") step else 3 - step
  ends <- rbind(
    data.frame(step = 0, event = rows$source[1], n = sum(rows$sessions[rows$step == 1])),
    stats::setNames(stats::aggregate(rows$sessions, list(rows$step, rows$target), sum), c("step", "event", "n"))
  )
  nodes <- lapply(seq_len(nrow(ends)), function(i) c(
    list(
      name = paste(ends$step[i], ends$event[i]), depth = at(ends$step[i]), tip = paste0(name(ends$event[i]), ": ", share(ends$n[i])),
      label = list(formatter = literal(name(ends$event[i])))
    ),
    if (!ends$event[i] %in% c("(end)", "(others)")) list(pick = list(kind = "start", value = ends$event[i])) else list(itemStyle = list(opacity = 0.35))
  ))
  links <- lapply(seq_len(nrow(rows)), function(i) {
    ways <- c(paste(rows$step[i] - 1, rows$source[i]), paste(rows$step[i], rows$target[i]))
    words <- name(c(rows$source[i], rows$target[i]))
    if (side == "before") { ways <- rev(ways); words <- rev(words) }
    list(source = ways[1], target = ways[2], value = rows$sessions[i], tip = paste0(words[1], " \u2192 ", words[2], ": ", share(rows$sessions[i])))
  })
  first <- rows[rows$step == 1, ]
  plot_sankey(nodes, links, t(paste0("paths.", side, ".alt"), event = name(rows$source[1]), name = name(first$target[1]), share = format_share(
    first$sessions[1] / sum(first$sessions), context$lang
  )))
}
