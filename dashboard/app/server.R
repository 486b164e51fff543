# What one visitor's page does: state from the inputs to the URL, the warehouse's freshness, the tabs.

poll_seconds <- 5
in_sidebar <- c("metric", "grain", "cohort", "by", "bots", "loads", "login", "event", "category", "brand", "q", "tz", "start", "within", step_names)
in_tables <- c("sort", "order", "product", "page") # picked from tables, not from the sidebar

#' The state of the address a page was asked for, the warehouse's status, and what the filters offer.
arrive <- function(query, warehouse) {
  wanted <- clean_state(query, zones = if (is.character(query$tz)) query$tz)
  status <- read_status(warehouse, wanted$tz)
  choices <- tryCatch(warehouse$query("choices"), warehouse_down = function(down) NULL)
  if (is.null(choices) || nrow(choices) == 0) choices <- data.frame(kind = "zone", value = "Asia/Ho_Chi_Minh")
  state <- clean_state(query, zones = choices$value[choices$kind == "zone"])
  newest_day <- substr(status$newest_event, 1, 10)
  list(state = with_range(state, newest_day), status = status, choices = choices, newest_day = newest_day)
}

#' kind: ok, down, empty (no event yet) or unbuilt (events but no rollups yet).
read_status <- function(warehouse, zone) {
  tryCatch({
    row <- warehouse$query("freshness", list(zone))
    kind <- if (!row$has_events) "empty" else if (!row$has_rollups) "unbuilt" else "ok"
    c(list(kind = kind), as.list(row[c("newest_load", "newest_event", "covered_until", "alerts")]))
  }, warehouse_down = function(down) {
    message("dashboard: ", conditionMessage(down))
    list(kind = "down", newest_event = NA)
  })
}

#' What every tab gets: language, words, state, freshness and a way to read.
make_context <- function(t, lang, state, status, warehouse) {
  read <- function(name, values, cached = TRUE) {
    force(values)
    rows <- reactive(warehouse$query(name, values()))
    if (!cached) return(rows)
    bindCache(rows, name, values(), status()$newest_load, warehouse$failures())
  }
  covered <- function() status()$covered_until
  list(
    t = t, lang = lang, state = state, read = read, covered = covered,
    reachable = function() status()$kind != "down", ready = function() status()$kind == "ok",
    unfinished = function() isTRUE(covered() < paste(state()$to + 1, "00:00:00"))
  )
}

make_server <- function(warehouse, words) function(input, output, session) {
  arrived <- arrive(parseQueryString(isolate(session$clientData$url_search)), warehouse)
  lang <- arrived$state$lang
  t <- words[[lang]]
  status <- reactiveVal(arrived$status)
  own <- do.call(reactiveValues, arrived$state[in_tables])
  state <- read_state(input, own, arrived)
  newest_day <- function() substr(status()$newest_event, 1, 10)

  # a page that came before there was anything to show keeps its address and starts over from it
  observe({
    req(arrived$status$kind == "ok")
    updateQueryString(state_query(state()), mode = "replace")
  })
  observe({
    invalidateLater(poll_seconds * 1000)
    status(read_status(warehouse, state()$tz))
  })
  observe(if (arrived$status$kind != "ok" && status()$kind == "ok") session$reload())
  output$banner <- renderUI(banner(status()$kind, t))
  output$chips <- renderUI(chips(state(), t))
  output$alert_count <- renderUI(if (isTRUE(status()$alerts > 0)) tags$span(
    class = "badge text-bg-danger", `aria-label` = t("alerts.count", n = status()$alerts), status()$alerts
  ))
  output$languages <- renderUI(language_links(state(), t))
  observe_first_page(state, own)
  observe_period(input, session, state, newest_day)
  observe_picks(input, session, state, own)
  start_tabs(make_context(t, lang, state, status, warehouse), state)
}

#' The choice of the moment; what an input does not say yet is as the address had it.
read_state <- function(input, own, arrived) {
  zones <- arrived$choices$value[arrived$choices$kind == "zone"]
  before <- lapply(arrived$state, as.character)
  reactive({
    chosen <- lapply(stats::setNames(nm = c("tab", in_sidebar)), function(name) input[[name]])
    chosen[in_tables] <- lapply(in_tables, function(name) own[[name]])
    range <- as.character(input$range)
    if (length(range) == 2 && !anyNA(range)) chosen[c("from", "to")] <- range
    given <- utils::modifyList(before, Filter(Negate(is.null), chosen))
    with_range(clean_state(given, zones), arrived$newest_day)
  })
}

#' A tab's panels are made when it is first looked at.
start_tabs <- function(context, state) {
  started <- character(0)
  observe({
    name <- state()$tab
    if (name %in% started) return()
    started <<- c(started, name)
    get(paste0(name, "_server"))(name, context)
  })
}

#' Another choice of rows begins at its first page.
observe_first_page <- function(state, own) {
  before <- NULL
  observe({
    now <- state()[setdiff(names(state()), c("page", "lang"))]
    if (!is.null(before) && !identical(now, before)) own$page <- 1L
    before <<- now
  })
}

#' The ready-made period sets the days, and the days say which period they are.
observe_period <- function(input, session, state, newest_day) {
  observeEvent(input$period, {
    if (!input$period %in% periods || input$period == period_of(state(), newest_day(), input$period)) return()
    days <- range_of(input$period, newest_day(), state()$from)
    updateDateRangeInput(session, "range", start = days$from, end = days$to)
  }, ignoreInit = TRUE)
  observe({
    chosen <- isolate(input$period)
    period <- period_of(state(), newest_day(), chosen)
    if (!identical(period, chosen)) updateSelectInput(session, "period", selected = period)
  })
}

#' What was clicked in a plot or a table filters everything; the same again takes it off.
observe_picks <- function(input, session, state, own) {
  observeEvent(input$pick, {
    kind <- input$pick$kind
    value <- input$pick$value
    if (!is.character(value) || length(value) != 1) return()
    if (kind %in% c(filter_kinds, "metric", "start")) {
      again <- kind %in% filter_kinds && identical(state()[[kind]], value)
      updateSelectInput(session, kind, selected = if (again) "" else value)
    } else if (identical(kind, "days")) {
      days <- do.call(clean_range, as.list(c(strsplit(value, "/")[[1]], "", ""))[1:2])
      if (!is.null(days$from)) updateDateRangeInput(session, "range", start = days$from, end = days$to)
    } else if (identical(kind, "sort")) {
      own$order <- if (own$sort == value && own$order == "desc") "asc" else "desc"
      own$sort <- value
    } else if (kind %in% in_tables) {
      own[[kind]] <- value
    }
  })
}

banner <- function(kind, t) {
  if (kind == "ok") return(NULL)
  tags$div(
    class = paste("notice stop", if (kind == "down") "bad down" else "early"), `data-state` = kind,
    t(paste0("state.", kind))
  )
}
