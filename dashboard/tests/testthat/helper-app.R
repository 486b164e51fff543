source(file.path(Sys.getenv("DASHBOARD_APP"), "load.R"), encoding = "UTF-8")

strings <- read_strings(file.path(app_folder, "strings.csv"))

#' No test may hang: what is not done by then is an error.
in_time <- function(code, seconds = 120) {
  setTimeLimit(elapsed = seconds, transient = TRUE)
  on.exit(setTimeLimit())
  force(code)
}

real_warehouse <- function() {
  skip_if(Sys.getenv("PGHOST") == "", "no database: run by npm run test:dashboard")
  warehouse <- open_warehouse(read_statements(file.path(app_folder, "sql")))
  close_after(warehouse$close)
  warehouse
}

close_after <- function(close, frame = parent.frame(2)) do.call(
  on.exit, list(as.call(list(close)), add = TRUE), envir = frame
)

#' A context as the server makes it, for a tab's module alone.
test_context <- function(warehouse, lang = "en", ...) {
  status <- read_status(warehouse, "Asia/Ho_Chi_Minh")
  given <- utils::modifyList(list(lang = lang), list(...))
  state <- with_range(clean_state(given, "Asia/Ho_Chi_Minh"), substr(status$newest_event, 1, 10))
  make_context(translator(strings, lang), lang, reactiveVal(state), reactiveVal(status), warehouse)
}

#' What a panel shows, as its HTML.
html_of <- function(output) as.character(output$html)
