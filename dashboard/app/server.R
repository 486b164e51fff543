# What one visitor's page does: state from the inputs to the URL, the warehouse's freshness, the tabs.

poll_seconds <- 5

#' The state of the address a page was asked for, the warehouse's status, and what the filters offer.
arrive <- function(query, warehouse) {
  wanted <- clean_state(query, zones = if (is.character(query$tz)) query$tz)
  status <- read_status(warehouse, wanted$tz)
  choices <- tryCatch(warehouse$query("choices"), warehouse_down = function(down) NULL)
  if (is.null(choices) || nrow(choices) == 0) choices <- data.frame(kind = "zone", value = "Asia/Ho_Chi_Minh")
  state <- clean_state(query, zones = choices$value[choices$kind == "zone"])
  list(state = with_range(state, substr(status$newest_event, 1, 10)), status = status, choices = choices)
}

#' kind: ok, down, empty (no event yet) or unbuilt (events but no rollups yet).
read_status <- function(warehouse, zone) {
  tryCatch({
    row <- warehouse$query("freshness", list(zone))
    kind <- if (!row$has_events) "empty" else if (!row$has_rollups) "unbuilt" else "ok"
    c(list(kind = kind), as.list(row[c("newest_load", "newest_event", "covered_until")]))
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

make_server <- function(warehouse, strings) function(input, output, session) {
  arrived <- arrive(parseQueryString(isolate(session$clientData$url_search)), warehouse)
  lang <- arrived$state$lang
  t <- translator(strings, lang)
  zones <- arrived$choices$value[arrived$choices$kind == "zone"]
  page <- reactiveVal(arrived$state$page)
  state <- reactive({
    names <- setdiff(url_names, c("lang", "page"))
    inputs <- stats::setNames(lapply(names, function(name) input[[name]]), names)
    given <- fill_in(inputs, lapply(arrived$state[names], as.character))
    state <- with_range(clean_state(c(given, list(lang = lang)), zones), substr(arrived$status$newest_event, 1, 10))
    utils::modifyList(state, list(page = page()))
  })
  observe_choice(state, page)
  # a page that came before there was anything to show keeps its address and starts anew from it
  observe({
    req(arrived$status$kind == "ok")
    updateQueryString(state_query(state()), mode = "replace")
  })

  status <- reactiveVal(arrived$status)
  observe({
    invalidateLater(poll_seconds * 1000)
    status(read_status(warehouse, state()$tz))
  })
  # a date field is written as the browser likes it; this line says it in the page's language
  output$range <- renderUI({
    if (state()$tab == "quality") return(NULL)
    paste(format_day(state()$from, lang), "\u2013", format_day(state()$to, lang))
  })
  observe(if (arrived$status$kind != "ok" && status()$kind == "ok") session$reload())
  output$banner <- renderUI(banner(status()$kind, t))
  observe_presets(input, session, status)

  context <- make_context(t, lang, state, status, warehouse)
  overview_server("overview", context)
  products_server("products", context)
  funnel_server("funnel", context)
  activity_server("activity", context)
  quality_server("quality", context)
  raw_server("raw", context, page)
}

#' Another choice of rows begins at its first page.
observe_choice <- function(state, page) {
  before <- NULL
  observe({
    now <- state()[setdiff(names(state()), c("page", "tab", "lang"))]
    if (!is.null(before) && !identical(now, before)) page(1L)
    before <<- now
  })
}

fill_in <- function(values, others) {
  for (name in names(values)) if (is.null(values[[name]])) values[name] <- others[name]
  values
}

banner <- function(kind, t) {
  if (kind == "ok") return(NULL)
  tags$div(
    class = paste("notice stop", if (kind == "down") "bad down" else "early"), `data-state` = kind,
    t(paste0("state.", kind))
  )
}

#' "Last 7 days" and the like end on the newest event's day, so that they show something on old data too.
observe_presets <- function(input, session, status) {
  lapply(c(1, 7, 30, 90), function(days) {
    observeEvent(input[[paste0("last", days)]], {
      newest <- status()$newest_event
      to <- if (is.na(newest)) Sys.Date() else as.Date(substr(newest, 1, 10))
      session$sendInputMessage("from", list(value = as.character(to - days + 1)))
      session$sendInputMessage("to", list(value = as.character(to)))
    })
  })
}
