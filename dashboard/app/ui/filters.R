# The filters in the sidebar, filled from the URL. Each is shown on the tabs it acts on.

#' Values of one kind with their words; the first choice is "all".
choices_of <- function(choices, kind, t, none = FALSE) {
  values <- choices$value[choices$kind == kind]
  labels <- if (kind %in% c("login", "event")) data_labels(t, kind, values) else values
  c(stats::setNames("", t("all")), stats::setNames(values, labels), if (none) stats::setNames("-", t("none")))
}

#' A plain select: it needs no script, works on a phone and with the keyboard, and is written in one go.
select_box <- function(id, label, choices, selected) {
  if (!selected %in% choices) choices <- c(choices, stats::setNames(selected, selected))
  # as one string, because each tag of its own costs 0.3 ms and there may be hundreds of options
  options <- HTML(paste0(
    '<option value="', htmltools::htmlEscape(choices, attribute = TRUE), '"', ifelse(choices == selected, " selected", ""),
    ">", htmltools::htmlEscape(names(choices)), "</option>", collapse = ""
  ))
  tags$div(
    class = "field", tags$label(`for` = id, class = "form-label", label),
    tags$select(id = id, class = "form-select shiny-input-select", options)
  )
}

named <- function(values, prefix, t) stats::setNames(values, vapply(paste0(prefix, ".", values), t, ""))

filters <- function(state, choices, newest_day, t) {
  zones <- choices$value[choices$kind == "zone"]
  only <- function(tabs, ...) {
    condition <- paste0("[", paste0("'", tabs, "'", collapse = ","), "].includes(input.tab)")
    conditionalPanel(condition, ...)
  }
  of <- function(kind, none = FALSE) select_box(kind, t(kind), choices_of(choices, kind, t, none), state[[kind]])
  tagList(
    only(
      setdiff(tab_names, c("quality", "alerts")),
      select_box("period", t("period"), c(named(periods, "period", t), stats::setNames("", t("period.own"))), period_of(state, newest_day)),
      dateRangeInput(
        "range", t("range"), state$from, state$to, min = "2000-01-01", max = "2100-01-01", weekstart = 1, language = state$lang,
        format = if (state$lang == "vi") "dd/mm/yyyy" else "d M yyyy", separator = "\u2013"
      )
    ),
    only(
      "overview", select_box("metric", t("metric"), named(allowed$metric, "metric", t), state$metric),
      select_box("grain", t("grain"), named(allowed$grain, "grain", t), state$grain)
    ),
    only("acquisition", select_box("bots", t("acquisition.bots"), named(allowed$bots, "bots", t), state$bots)),
    only("products", textInput("q", t("q"), state$q)),
    only("quality", select_box("loads", t("loads"), named(allowed$loads, "loads", t), state$loads)),
    only(c("overview", "funnel", "paths", "activity", "raw"), of("login", none = TRUE)),
    only(c("overview", "activity", "raw"), of("event")),
    only(c("overview", "products", "funnel"), of("category"), of("brand")),
    only("paths", select_box("start", t("paths.start"), event_choices(choices, t)[-1], start_of(state)), own_steps(state, choices, t)),
    only("funnel", select_box("by", t("by"), named(allowed$by, "by", t), state$by)),
    only("retention", select_box("cohort", t("cohort"), named(allowed$cohort, "cohort", t), state$cohort)),
    select_box("tz", t("zone"), stats::setNames(zones, zones), state$tz)
  )
}

event_choices <- function(choices, t) choices_of(choices, "event", t)

#' A funnel of one's own: a further step is offered once the one before it is chosen.
own_steps <- function(state, choices, t) {
  chosen <- own_steps_of(state)
  boxes <- lapply(seq_along(step_names), function(n) {
    box <- select_box(step_names[n], t("own.step", n = n), c("\u2013" = "", event_choices(choices, t)[-1]), c(chosen, rep("", 8))[n])
    if (n <= 2) box else conditionalPanel(paste0("input.s", n - 1, " || input.s", n), box)
  })
  tags$fieldset(
    tags$legend(class = "fs-6", t("own.title")), boxes,
    select_box("within", t("within"), named(allowed$within, "within", t), state$within)
  )
}

#' One chip for each filter that is set; a click takes it off.
chips <- function(state, t) {
  set <- Filter(function(kind) nzchar(state[[kind]]), filter_kinds)
  if (length(set) == 0) return(NULL)
  chip <- function(kind) {
    value <- if (state[[kind]] == "-") t("none") else state[[kind]]
    if (kind %in% c("login", "event")) value <- data_labels(t, kind, if (state[[kind]] == "-") NA else state[[kind]])
    tags$button(
      type = "button", class = "btn btn-sm btn-primary chip", `data-pick` = picks(kind, ""),
      `aria-label` = t("chip.off", name = paste0(t(kind), ": ", value)), paste0(t(kind), ": ", shorten(value, 40)), " \u00d7"
    )
  }
  tags$div(class = "chips", role = "group", `aria-label` = t("filters.on"), lapply(set, chip))
}
