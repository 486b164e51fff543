# The filter bar: plain HTML controls with labels, filled from the URL.

select_box <- function(id, label, choices, selected) {
  if (!selected %in% choices) choices <- c(choices, stats::setNames(selected, selected))
  # as one string, because each tag of its own costs 0.3 ms and there may be hundreds of options
  options <- HTML(paste0(
    '<option value="', htmltools::htmlEscape(choices, attribute = TRUE), '"', ifelse(choices == selected, " selected", ""),
    ">", htmltools::htmlEscape(names(choices)), "</option>", collapse = ""
  ))
  # the input binding of a plain select; `shiny-input-select` marks it for newer Shiny too
  tags$div(
    class = "field", tags$label(`for` = id, label),
    tags$select(id = id, class = "form-select shiny-input-select", options)
  )
}

date_box <- function(id, label, value) {
  tags$div(class = "field", tags$label(`for` = id, label), tags$input(
    id = id, type = "date", class = "form-control day-input", value = as.character(value),
    min = "2000-01-01", max = "2100-01-01"
  ))
}

search_box <- function(id, label, value) {
  tags$div(
    class = "field", tags$label(`for` = id, label),
    tags$input(id = id, type = "search", class = "form-control", value = value)
  )
}

#' Values of one kind with their words; the first choice is "all".
choices_of <- function(choices, kind, t, all = "all", none = FALSE) {
  values <- choices$value[choices$kind == kind]
  labels <- if (kind %in% c("login", "event")) data_labels(t, kind, values) else values
  c(stats::setNames("", t(all)), stats::setNames(values, labels), if (none) stats::setNames("-", t("none")))
}

filter_bar <- function(state, choices, t) {
  zones <- choices$value[choices$kind == "zone"]
  preset <- function(days) tags$button(
    id = paste0("last", days), type = "button", class = "btn action-button preset", t(paste0("last.", days))
  )
  only <- function(tabs, ...) tags$div(class = "only", `data-tabs` = paste(tabs, collapse = " "), ...)
  tags$div(
    class = "filters", role = "group", `aria-label` = t("filters"),
    only(
      setdiff(tab_names, "quality"),
      date_box("from", t("from"), state$from), date_box("to", t("to"), state$to),
      tags$div(
        class = "presets", role = "group", `aria-label` = t("presets"), preset(1), preset(7), preset(30), preset(90)
      )
    ),
    only("quality", select_box("loads", t("loads"), loads_choices(t), state$loads)),
    only(
      c("overview", "funnel", "activity", "raw"),
      select_box("login", t("login"), choices_of(choices, "login", t, none = TRUE), state$login)
    ),
    only(c("activity", "raw"), select_box("event", t("event"), choices_of(choices, "event", t), state$event)),
    only(
      c("products", "funnel"),
      select_box("category", t("category"), choices_of(choices, "category", t), state$category),
      select_box("brand", t("brand"), choices_of(choices, "brand", t), state$brand)
    ),
    only(
      "products", search_box("q", t("search"), state$q),
      select_box("sort", t("sort"), named(allowed$sort, "sort", t), state$sort)
    ),
    only("funnel", select_box("by", t("by"), named(allowed$by, "by", t), state$by)),
    tags$div(class = "only", select_box("tz", t("zone"), stats::setNames(zones, zones), state$tz))
  )
}

named <- function(values, prefix, t) stats::setNames(values, vapply(paste0(prefix, ".", values), t, ""))
loads_choices <- function(t) stats::setNames(allowed$loads, c(t("last.1"), t("last.7"), t("last.30"), t("all")))
