# A panel: a card with a heading, a plot, words below it, and the table behind it, as a picture (PNG) and as rows (CSV).

#' @param height of the plot in pixels until it comes; NULL: a panel without one
panel_ui <- function(id, t, title, height = NULL, table = TRUE, tools = NULL) {
  ns <- NS(id)
  bslib::card(
    class = "panel", role = "region", `aria-labelledby` = ns("title"),
    bslib::card_header(
      tags$h2(id = ns("title"), t(title)), tools,
      if (!is.null(height)) tags$button(
        type = "button", class = "btn btn-link tool", `data-png` = ns("plot"), `aria-label` = t("png.of", panel = t(title)), t("png")
      ),
      tags$a(
        id = ns("csv"), class = "btn btn-link tool shiny-download-link", href = "", target = "_blank", download = NA,
        `aria-label` = t("csv.of", panel = t(title)), t("csv")
      )
    ),
    bslib::card_body(
      if (!is.null(height)) plot_output(ns("plot"), height), htmlOutput(ns("body"), class = "words"),
      if (table) tags$details(tags$summary(t("table")), htmlOutput(ns("table")))
    )
  )
}

notice <- function(text, class = NULL) tags$p(class = paste(c("notice", class), collapse = " "), text)
hint <- function(...) tags$p(class = "hint", ...)

#' What a click filters by, for an attribute `data-pick`: `page.js` reads it.
picks <- function(kind, value) as.character(jsonlite::toJSON(list(kind = kind, value = value), auto_unbox = TRUE))

#' @param rows a reactive data frame (the panel's statement)
#' @param columns the columns of its table and CSV
#' @param plot function(rows): a plot, or NULL
#' @param words function(rows): what is said below it
#' @param nothing function(rows): TRUE where the filters match nothing
panel_server <- function(id, context, rows, columns, plot = NULL, words = NULL, nothing = function(rows) nrow(rows) == 0) {
  moduleServer(id, function(input, output, session) {
    t <- context$t
    part <- function(draw, on_fault = NULL) {
      answer <- tryCatch(rows(), warehouse_down = function(down) down)
      if (inherits(answer, "warehouse_down")) {
        message("dashboard: ", id, ": ", conditionMessage(answer))
        return(if (!is.null(on_fault)) on_fault("state.down"))
      }
      tryCatch(if (nothing(answer)) {
        if (!is.null(on_fault)) on_fault("state.nothing")
      } else if (!is.null(draw)) draw(answer), error = function(fault) {
        if (inherits(fault, "shiny.silent.error")) stop(fault)
        message("dashboard: ", id, ": ", conditionMessage(fault)) # Shiny's own words would be English
        if (!is.null(on_fault)) on_fault("state.error")
      })
    }
    say <- function(key) notice(t(key), if (key != "state.nothing") "bad")
    output$plot <- plot_value(function() {
      req(context$ready())
      part(plot)
    })
    output$body <- renderUI({
      req(context$ready())
      tagList(part(function(rows) {
        if (!is.null(plot)) plot(rows) # a fault in it is said here
        tagList(if (!is.null(words)) words(rows))
      }, say), tags$span())
    })
    output$table <- renderUI(part(function(rows) table_of(rows, columns, t), say))
    output$csv <- downloadHandler(
      filename = function() paste0(id, "-", context$state()$from, "-", context$state()$to, ".csv"),
      content = function(file) write_csv(rows(), columns, file),
      contentType = "text/csv; charset=utf-8"
    )
  })
}

plot_value <- function(draw) shiny::createRenderFunction(func = draw, transform = function(value, session, name, ...) value)
