# Turns a text file into a C++ function that returns it.
file(READ ${INPUT} text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND pieces "    R\"a4c_openapi(${piece})a4c_openapi\",\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${OUTPUT} "// Generated from docs/api/openapi.json.
#include \"apps/a4cd/api/openapi.h\"

namespace a4cd {

std::string OpenApiText() {
  static const char* const kPieces[] = {
${pieces}  };
  std::string text;
  for (const char* piece : kPieces) text += piece;
  return text;
}

}  // namespace a4cd
")
